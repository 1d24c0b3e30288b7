#include "delegate/engine/ops/int8/convert.h"

#include <algorithm>

#include "delegate/kernels/int8/table.h"

namespace sbnn {

Status ConvertNumbers::InferShape(const std::vector<Shape>& inputs, Shape* output) const {
  *output = inputs[0];
  return Status();
}

void ConvertNumbers::Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
                         const RunContext& context) const {
  const int8::Elementwise& kernels = int8::KernelsOf(context.kernels.isa)->elementwise;
  const Tensor& input = *inputs[0];
  const bool to_int8 = output.type == ElementType::kInt8;
  const Quantization q = to_int8 ? output.quantization : input.quantization;
  const auto convert = [&](const void* x, void* y, size_t count) {
    if (to_int8) {
      kernels.quantize(static_cast<const float*>(x), static_cast<int8_t*>(y), count, 1.0f / q.scale,
                       {q.zero_point, -128, 127});
    } else {
      kernels.dequantize(static_cast<const int8_t*>(x), static_cast<float*>(y), count, q.scale,
                         q.zero_point);
    }
  };
  if (output.layout == Layout::kFlat) {
    constexpr size_t kElements = 8192;  // of a task
    const size_t count = ElementCount(output.shape);
    context.team.Run(static_cast<int>((count + kElements - 1) / kElements), [&](int task, int) {
      const size_t first = task * kElements;
      convert(input.From(first), output.From(first), std::min(kElements, count - first));
    });
    return;
  }
  const Images image = output.images();
  context.team.Run(image.n * image.c, [&](int task, int) {
    const int n = task / image.c, c = task % image.c;
    convert(input.At(n, c), output.At(n, c), image.pixels());
  });
}

}  // namespace sbnn
