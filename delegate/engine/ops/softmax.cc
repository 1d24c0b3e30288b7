#include "delegate/engine/ops/softmax.h"

#include <algorithm>

namespace sbnn {
namespace {

// What a task takes: of a panel pixels, else elements.
constexpr size_t kTaskPixels = 256, kTaskElements = 4096;

}  // namespace

Status Softmax::InferShape(const std::vector<Shape>& inputs, Shape* output) const {
  *output = inputs[0];
  return Status();
}

void Softmax::Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
                  const RunContext& context) const {
  const Tensor& input = *inputs[0];
  const Images images = input.images();
  SoftmaxArgs args{};
  args.count = images.c;
  args.beta = beta_;
  if (input.layout == Layout::kPanel) {
    const size_t pixels = images.pixels();
    const int tasks = static_cast<int>((pixels + kTaskPixels - 1) / kTaskPixels);
    args.x_stride = input.plane_stride;
    args.y_stride = output.plane_stride;
    context.team.Run(images.n * tasks, [&](int task, int) {
      const size_t first = task % tasks * kTaskPixels;
      SoftmaxArgs part = args;
      part.x = input.At(task / tasks, 0, first);
      part.y = output.At(task / tasks, 0, first);
      part.sets = std::min(kTaskPixels, pixels - first);
      context.kernels.softmax_columns(part);
    });
    return;
  }
  const size_t rows = ElementCount(input.shape) / args.count;
  const size_t step = std::max<size_t>(1, kTaskElements / args.count);
  args.x_stride = args.y_stride = args.count;
  context.team.Run(static_cast<int>((rows + step - 1) / step), [&](int task, int) {
    const size_t first = task * step;
    SoftmaxArgs part = args;
    part.x = input.From(first * args.count);
    part.y = output.From(first * args.count);
    part.sets = std::min(step, rows - first);
    context.kernels.softmax_rows(part);
  });
}

}  // namespace sbnn
