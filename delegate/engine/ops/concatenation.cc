#include "delegate/engine/ops/concatenation.h"

#include <algorithm>
#include <cstdint>

#include "delegate/engine/flat_range.h"
#include "delegate/engine/strided.h"
#include "delegate/kernels/int8/table.h"

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

Status Concatenation::Plan(const std::vector<const Tensor*>& inputs, const Tensor& output,
                           const PlanContext&, uint64_t* scratch) {
  rescale_.assign(inputs.size(), std::nullopt);
  *scratch = 0;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i]->quantization == output.quantization) continue;
    rescale_[i] = RescaleTable(inputs[i]->quantization, output.quantization);
    *scratch = std::max(*scratch, inputs[i]->allocation());
  }
  return Status();
}

void Concatenation::Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
                        const RunContext& context) const {
  const Strides y = StridesOf(output);
  void* to = output.data;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Tensor* const input = inputs[i];
    const void* from = input->data;
    if (rescale_[i]) {
      from = context.scratch;
      const int8::LookupFn lookup = int8::KernelsOf(context.kernels.isa)->elementwise.lookup;
      ForEachRange(*input, context.team, [&](size_t first, size_t count) {
        lookup(static_cast<const int8_t*>(input->From(first)),
               static_cast<int8_t*>(context.scratch) + first, count, rescale_[i]->data());
      });
    }
    CopyStrided(input->shape, from, StridesOf(*input), to, y, output.type, context.kernels,
                context.team);
    to = Advance(to, input->shape[axis_] * y[axis_], output.type);
  }
}

}  // namespace sbnn
