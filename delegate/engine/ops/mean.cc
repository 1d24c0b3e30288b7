#include "delegate/engine/ops/mean.h"

#include <algorithm>

namespace sbnn {

Status Mean::InferShape(const std::vector<Shape>& inputs, Shape* output) const {
  if (inputs[0].size() != 4)
    return Status::Error("a mean over height and width reads 4 dimensions");
  const Images image = AsImages(inputs[0]);
  *output = keep_dims_ ? Shape{image.n, 1, 1, image.c} : Shape{image.n, image.c};
  return Status();
}

void Mean::Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
               const RunContext& context) const {
  const Tensor& input = *inputs[0];
  const Images image = input.images();
  if (input.layout == Layout::kFlat) {  // one pixel
    std::copy(input.data, input.data + static_cast<size_t>(image.n) * image.c, output.data);
    return;
  }
  const float scale = 1.0f / static_cast<float>(image.pixels());
  constexpr int kChannels = 64;  // of a task
  const int tasks = (image.c + kChannels - 1) / kChannels;
  context.team.Run(image.n * tasks, [&](int task, int) {
    const int n = task / tasks, first = task % tasks * kChannels;
    for (int c = first; c < std::min(image.c, first + kChannels); ++c) {
      output.data[static_cast<size_t>(n) * image.c + c] =
          context.kernels.sum(input.Plane(n, c), image.pixels()) * scale;
    }
  });
}

}  // namespace sbnn
