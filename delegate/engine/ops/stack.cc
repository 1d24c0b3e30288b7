#include "delegate/engine/ops/stack.h"

#include "delegate/engine/strided.h"

namespace sbnn {

Status Stack::InferShape(const std::vector<Shape>& inputs, Shape* output) const {
  if (axis_ > static_cast<int>(inputs[0].size())) return Status::Error("no such dimension");
  for (const Shape& shape : inputs) {
    if (shape != inputs[0]) return Status::Error("operands of different shapes");
  }
  *output = inputs[0];
  output->insert(output->begin() + axis_, static_cast<int>(inputs.size()));
  return Status();
}

void Stack::Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
                const RunContext& context) const {
  Strides y = StridesOf(output);
  const ptrdiff_t step = y[axis_];
  y.erase(y.begin() + axis_);
  for (size_t i = 0; i < inputs.size(); ++i) {
    CopyStrided(inputs[i]->shape, inputs[i]->data, StridesOf(*inputs[i]),
                Advance(output.data, static_cast<ptrdiff_t>(i) * step, output.type), y, output.type,
                context.kernels, context.team);
  }
}

}  // namespace sbnn
