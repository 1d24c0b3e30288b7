#include "delegate/engine/ops/transpose.h"

#include <algorithm>

#include "delegate/engine/strided.h"

namespace sbnn {

Status Transpose::InferShape(const std::vector<Shape>& inputs, Shape* output) const {
  std::vector<int> sorted = order_;
  std::sort(sorted.begin(), sorted.end());
  for (size_t d = 0; d < sorted.size(); ++d) {
    if (sorted[d] != static_cast<int>(d)) return Status::Error("an order that is no permutation");
  }
  if (order_.size() != inputs[0].size()) return Status::Error("an order for another rank");
  output->clear();
  for (int d : order_) output->push_back(inputs[0][d]);
  return Status();
}

void Transpose::Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
                    const RunContext& context) const {
  const Strides strides = StridesOf(*inputs[0]);
  Strides x;
  for (int d : order_) x.push_back(strides[d]);
  CopyStrided(output.shape, inputs[0]->data, x, output.data, StridesOf(output), output.type,
              context.kernels, context.team);
}

}  // namespace sbnn
