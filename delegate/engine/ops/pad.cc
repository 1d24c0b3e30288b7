#include "delegate/engine/ops/pad.h"

#include <cstdint>
#include <string>

#include "delegate/engine/strided.h"

namespace sbnn {

Status Padding::InferShape(const Shape& input, Shape* output) const {
  if (before.size() != input.size() || after.size() != input.size()) {
    return Status::Error("a padding of " + std::to_string(before.size()) + " dimensions meets " +
                         std::to_string(input.size()));
  }
  *output = input;
  for (size_t d = 0; d < input.size(); ++d) {
    const int64_t size = int64_t{input[d]} + before[d] + after[d];
    if (before[d] < 0 || after[d] < 0 || size > INT32_MAX) {
      return Status::Error("a padding of " + std::to_string(before[d]) + " and " +
                           std::to_string(after[d]));
    }
    (*output)[d] = static_cast<int>(size);
  }
  return Status();
}

bool Pad::AsMargin(Margin* margin) const {
  const std::vector<int>&b = padding_.before, &a = padding_.after;
  if (b.size() != 4 || value_ != 0 || b[0] != 0 || a[0] != 0 || b[3] != 0 || a[3] != 0) {
    return false;
  }
  *margin = {b[1], a[1], b[2], a[2]};
  return true;
}

Status Pad::InferShape(const std::vector<Shape>& inputs, Shape* output) const {
  return padding_.InferShape(inputs[0], output);
}

void Pad::Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
              const RunContext& context) const {
  const Tensor& input = *inputs[0];
  const Strides y = StridesOf(output), none(y.size(), 0);
  // One dimension after the other: what lies before and after the box, which grows.
  Shape box = input.shape;
  ptrdiff_t corner = 0;
  for (size_t d = 0; d < y.size(); ++d) corner += padding_.before[d] * y[d];
  const auto copy = [&](const void* from, const Strides& strides, ptrdiff_t to) {
    CopyStrided(box, from, strides, output.From(to), y, output.type, context.kernels, context.team);
  };
  copy(input.data, StridesOf(input), corner);
  const bool floats = output.type == ElementType::kFloat32;
  const int8_t number = floats ? int8_t{0} : NearestNumber(value_, output.quantization);
  const void* const value = floats ? static_cast<const void*>(&value_) : &number;
  for (size_t d = y.size(); d-- > 0;) {
    const int before = padding_.before[d], after = padding_.after[d], size = box[d];
    const auto fill = [&](int count, ptrdiff_t first) {
      if (count == 0) return;
      box[d] = count;
      copy(value, none, first);
    };
    fill(before, corner - before * y[d]);
    fill(after, corner + size * y[d]);
    corner -= before * y[d];
    box[d] = output.shape[d];
  }
}

}  // namespace sbnn
