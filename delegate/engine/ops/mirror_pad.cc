#include "delegate/engine/ops/mirror_pad.h"

#include <algorithm>
#include <string>

#include "delegate/engine/strided.h"

namespace sbnn {

Status MirrorPad::InferShape(const std::vector<Shape>& inputs, Shape* output) const {
  const Status status = padding_.InferShape(inputs[0], output);
  if (!status.ok()) return status;
  for (size_t d = 0; d < inputs[0].size(); ++d) {
    const int most = std::max(0, inputs[0][d] - (symmetric_ ? 0 : 1));
    if (padding_.before[d] > most || padding_.after[d] > most) {
      return Status::Error("a mirror image larger than the image");
    }
  }
  return Status();
}

void MirrorPad::Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
                    const RunContext& context) const {
  const Tensor& input = *inputs[0];
  const Strides y = StridesOf(output);
  // As in Pad; what stands before and after the box is copied from it, backwards.
  Shape box = input.shape;
  ptrdiff_t corner = 0;
  for (size_t d = 0; d < y.size(); ++d) corner += padding_.before[d] * y[d];
  const auto copy = [&](const void* from, const Strides& strides, ptrdiff_t to) {
    CopyStrided(box, from, strides, output.From(to), y, output.type, context.kernels, context.team);
  };
  copy(input.data, StridesOf(input), corner);
  const int skipped = symmetric_ ? 0 : 1;
  for (size_t d = y.size(); d-- > 0;) {
    const int before = padding_.before[d], after = padding_.after[d], size = box[d];
    Strides backwards = y;
    backwards[d] = -y[d];
    const auto mirror = [&](int count, ptrdiff_t from, ptrdiff_t to) {
      if (count == 0) return;
      box[d] = count;
      copy(output.From(from), backwards, to);
    };
    mirror(before, corner + (before - 1 + skipped) * y[d], corner - before * y[d]);
    mirror(after, corner + (size - 1 - skipped) * y[d], corner + size * y[d]);
    corner -= before * y[d];
    box[d] = output.shape[d];
  }
}

}  // namespace sbnn
