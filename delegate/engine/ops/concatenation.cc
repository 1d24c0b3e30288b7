#include "delegate/engine/ops/concatenation.h"

namespace sbnn {

Status Concatenation::InferShape(const std::vector<Shape>& inputs, Shape* output) const {
  *output = inputs[0];
  output->back() = 0;
  for (const Shape& shape : inputs) {
    Shape expected = *output;
    if (shape.size() != expected.size()) return Status::Error("operands of different rank");
    expected.back() = shape.back();
    if (shape != expected) return Status::Error("operands that differ in more than the channels");
    output->back() += shape.back();
  }
  return Status();
}

void Concatenation::Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
                        const RunContext& context) const {
  const Images out = output.images();
  size_t before = 0;  // channels
  for (const Tensor* input : inputs) {
    const size_t channels = input->images().c;
    if (output.layout == Layout::kFlat) {
      const size_t rows = ElementCount(output.shape) / out.c;
      for (size_t r = 0; r < rows; ++r) {
        context.kernels.clamp(
            {input->data + r * channels, output.data + r * out.c + before, channels, lo_, hi_});
      }
    } else {
      const int planes = static_cast<int>(channels);
      context.team.Run(out.n * planes, [&](int task, int) {
        const int n = task / planes, c = task % planes;
        context.kernels.clamp({input->Plane(n, c), output.Plane(n, static_cast<int>(before) + c),
                               out.pixels(), lo_, hi_});
      });
    }
    before += channels;
  }
}

}  // namespace sbnn
