#include "delegate/engine/ops/pad.h"

#include <algorithm>

namespace sbnn {

Status Pad::InferShape(const std::vector<Shape>& inputs, Shape* output) const {
  if (inputs[0].size() != 4)
    return Status::Error("a padding of height and width reads 4 dimensions");
  const Images image = AsImages(inputs[0]);
  *output = {image.n, image.h + margin_.top + margin_.bottom,
             image.w + margin_.left + margin_.right, image.c};
  return Status();
}

void Pad::Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
              const RunContext& context) const {
  const Tensor& input = *inputs[0];
  const Images in = input.images(), out = output.images();
  if (output.layout == Layout::kFlat) {  // one pixel: nothing is padded
    std::copy(input.data, input.data + static_cast<size_t>(in.n) * in.c, output.data);
    return;
  }
  context.team.Run(in.n * in.c, [&](int task, int) {
    const int n = task / in.c, c = task % in.c;
    float* y = output.Plane(n, c);
    std::fill(y, y + out.pixels(), 0.0f);
    y += static_cast<size_t>(margin_.top) * out.w + margin_.left;
    if (input.layout == Layout::kFlat) {
      *y = input.data[static_cast<size_t>(n) * in.c + c];
      return;
    }
    const float* x = input.Plane(n, c);
    for (int row = 0; row < in.h; ++row, x += in.w, y += out.w) std::copy(x, x + in.w, y);
  });
}

}  // namespace sbnn
