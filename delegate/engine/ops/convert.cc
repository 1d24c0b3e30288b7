#include "delegate/engine/ops/convert.h"

#include <algorithm>

namespace sbnn {

Status Convert::InferShape(const std::vector<Shape>& inputs, Shape* output) const {
  *output = inputs[0];
  return Status();
}

void Convert::Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
                  const RunContext& context) const {
  const Tensor& input = *inputs[0];
  const Images image = input.images();
  const auto convert = [&](const void* x, void* y, size_t count) {
    if (output.type == ElementType::kFloat16) {
      context.kernels.narrow(static_cast<const float*>(x), y, count);
    } else {
      context.kernels.widen(x, static_cast<float*>(y), count);
    }
  };
  if (input.layout == Layout::kFlat) {
    constexpr size_t kElements = 8192;  // of a task
    const size_t count = ElementCount(input.shape);
    context.team.Run(static_cast<int>((count + kElements - 1) / kElements), [&](int task, int) {
      const size_t first = task * kElements;
      convert(input.From(first), output.From(first), std::min(kElements, count - first));
    });
    return;
  }
  // Planes have another stride.
  context.team.Run(image.n * image.c, [&](int task, int) {
    const int n = task / image.c, c = task % image.c;
    convert(input.At(n, c), output.At(n, c), image.pixels());
  });
}

}  // namespace sbnn
