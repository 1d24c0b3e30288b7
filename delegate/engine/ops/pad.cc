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
  float* corner = output.floats();
  for (size_t d = 0; d < y.size(); ++d) corner += padding_.before[d] * y[d];
  CopyStrided(box, input.floats(), StridesOf(input), corner, y, context.kernels, context.team);
  for (size_t d = y.size(); d-- > 0;) {
    const int before = padding_.before[d], after = padding_.after[d], size = box[d];
    const auto fill = [&](int count, float* first) {
      if (count == 0) return;
      box[d] = count;
      CopyStrided(box, &value_, none, first, y, context.kernels, context.team);
    };
    fill(before, corner - before * y[d]);
    fill(after, corner + size * y[d]);
    corner -= before * y[d];
    box[d] = output.shape[d];
  }
}

}  // namespace sbnn
