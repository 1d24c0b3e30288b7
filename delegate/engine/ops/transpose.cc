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

// (By their ranks Run sees whether one of the two is reshaped.)
bool Transpose::SkipsReshape(const Shape& input, const Shape& output) const {
  const bool before = input.size() != order_.size(), behind = output.size() != order_.size();
  return before != behind && LayoutOf(before ? input : output) == Layout::kFlat;
}

void Transpose::Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
                    const RunContext& context) const {
  const Tensor& input = *inputs[0];
  Strides x, y = StridesOf(output);
  Shape shape = output.shape;
  if (input.shape.size() != order_.size()) {
    x = ExchangedStrides(shape, order_);
  } else {
    const Strides strides = StridesOf(input);
    for (int d : order_) x.push_back(strides[d]);
    if (shape.size() != order_.size()) {
      shape.clear();
      for (int d : order_) shape.push_back(input.shape[d]);
      y = RowMajorStrides(shape);
    }
  }
  CopyStrided(shape, input.data, x, output.data, y, output.type, context.kernels, context.team);
}

}  // namespace sbnn
