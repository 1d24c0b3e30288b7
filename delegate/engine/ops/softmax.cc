#include "delegate/engine/ops/softmax.h"

#include <algorithm>
#include <cmath>

#include "delegate/engine/layout.h"

namespace sbnn {

Status Softmax::InferShape(const std::vector<Shape>& inputs, Shape* output) const {
  *output = inputs[0];
  return Status();
}

Status Softmax::Plan(const std::vector<const Tensor*>& inputs, const Tensor&, const PlanContext&,
                     uint64_t* scratch) {
  *scratch =
      inputs[0]->layout == Layout::kPanel ? ElementCount(inputs[0]->shape) * sizeof(float) : 0;
  return Status();
}

void Softmax::Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
                  const RunContext& context) const {
  const bool panel = inputs[0]->layout == Layout::kPanel;
  if (panel) ToFlat(*inputs[0], context.float_scratch(), context.kernels, context.team);
  const size_t count = inputs[0]->images().c;
  const size_t rows = ElementCount(inputs[0]->shape) / count;
  for (size_t r = 0; r < rows; ++r) {
    const float* const x = (panel ? context.float_scratch() : inputs[0]->floats()) + r * count;
    float* const y = (panel ? context.float_scratch() : output.floats()) + r * count;
    const float largest = *std::max_element(x, x + count);
    float sum = 0;
    for (size_t i = 0; i < count; ++i) {
      y[i] = std::exp((x[i] - largest) * beta_);
      sum += y[i];
    }
    const float scale = 1.0f / sum;
    for (size_t i = 0; i < count; ++i) y[i] *= scale;
  }
  if (panel) FromFlat(context.float_scratch(), output, context.kernels, context.team);
}

}  // namespace sbnn
