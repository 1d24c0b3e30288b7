#include "delegate/engine/ops/square_root.h"

#include <cmath>

#include "delegate/engine/flat_range.h"

namespace sbnn {

Status SquareRoot::InferShape(const std::vector<Shape>& inputs, Shape* output) const {
  *output = inputs[0];
  return Status();
}

// (No kernel: where it stands in networks, behind the variance of a normalization, it is of
// little.)
void SquareRoot::Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
                     const RunContext& context) const {
  const float* const x = inputs[0]->floats();
  float* const y = output.floats();
  ForEachRange(output, context.team, [&](size_t first, size_t count) {
    for (size_t i = first; i < first + count; ++i) {
      const float root = std::sqrt(x[i]);
      y[i] = reciprocal_ ? 1.0f / root : root;
    }
  });
}

}  // namespace sbnn
