#include "delegate/engine/ops/softmax.h"

#include <algorithm>
#include <cmath>

namespace sbnn {

Status Softmax::InferShape(const std::vector<Shape>& inputs, Shape* output) const {
  if (LayoutOf(inputs[0]) == Layout::kPanel) {
    return Status::Error("a softmax over the channels of an image is not supported");
  }
  *output = inputs[0];
  return Status();
}

void Softmax::Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
                  const RunContext&) const {
  const size_t count = inputs[0]->images().c;
  const size_t rows = ElementCount(inputs[0]->shape) / count;
  for (size_t r = 0; r < rows; ++r) {
    const float* const x = inputs[0]->data + r * count;
    float* const y = output.data + r * count;
    const float largest = *std::max_element(x, x + count);
    float sum = 0;
    for (size_t i = 0; i < count; ++i) {
      y[i] = std::exp((x[i] - largest) * beta_);
      sum += y[i];
    }
    const float scale = 1.0f / sum;
    for (size_t i = 0; i < count; ++i) y[i] *= scale;
  }
}

}  // namespace sbnn
