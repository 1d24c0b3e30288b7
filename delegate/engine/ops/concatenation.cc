#include "delegate/engine/ops/concatenation.h"

#include <cstdint>

#include "delegate/engine/strided.h"

namespace sbnn {

Status Concatenation::InferShape(const std::vector<Shape>& inputs, Shape* output) const {
  *output = inputs[0];
  if (axis_ >= static_cast<int>(output->size())) return Status::Error("no such dimension");
  int64_t size = 0;
  for (const Shape& shape : inputs) {
    Shape expected = *output;
    if (shape.size() != expected.size()) return Status::Error("operands of different rank");
    expected[axis_] = shape[axis_];
    if (shape != expected) return Status::Error("operands that differ in another dimension");
    size += shape[axis_];
  }
  if (size > INT32_MAX) return Status::Error("too many elements");
  (*output)[axis_] = static_cast<int>(size);
  return Status();
}

void Concatenation::Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
                        const RunContext& context) const {
  const Strides y = StridesOf(output);
  float* to = output.floats();
  for (const Tensor* input : inputs) {
    CopyStrided(input->shape, input->floats(), StridesOf(*input), to, y, context.kernels,
                context.team);
    to += input->shape[axis_] * y[axis_];
  }
}

}  // namespace sbnn
