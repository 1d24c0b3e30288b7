#include "delegate/engine/ops/int8/softmax.h"

#include <algorithm>
#include <cmath>

#include "delegate/engine/fixed_point.h"
#include "delegate/engine/stock_rounding.h"

namespace sbnn {
namespace {

constexpr int32_t kMostPower = 65535;

}  // namespace

Status Int8Softmax::InferShape(const std::vector<Shape>& inputs, Shape* output) const {
  *output = inputs[0];
  return Status();
}

Status Int8Softmax::Plan(const std::vector<const Tensor*>& inputs, const Tensor&,
                         const PlanContext&, uint64_t*) {
  const float scale = -inputs[0]->quantization.scale * beta_;
  for (int below = 0; below < 256; ++below) {
    powers_[below] = std::exp(scale * static_cast<float>(below));
    whole_powers_[below] =
        std::min(kMostPower, static_cast<int32_t>(powers_[below] * kMostPower + 0.5));
  }
  return Status();
}

void Int8Softmax::InFixedPoint(const int8_t* x, int largest, size_t count, const Quantization& to,
                               int8_t* y) const {
  int32_t sum = 0;
  for (size_t i = 0; i < count; ++i) sum += whole_powers_[largest - x[i]];
  const FixedPoint factor = ToFixedPoint(1.0f / (static_cast<float>(sum) * to.scale));
  for (size_t i = 0; i < count; ++i) {
    const int number = Multiply(whole_powers_[largest - x[i]], factor) + to.zero_point;
    y[i] = static_cast<int8_t>(std::clamp(number, -128, 127));
  }
}

void Int8Softmax::Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
                      const RunContext& context) const {
  const size_t count = output.images().c;
  const Quantization to = output.quantization;
  context.team.Run(static_cast<int>(ElementCount(output.shape) / count), [&](int row, int) {
    const auto* const x = static_cast<const int8_t*>(inputs[0]->From(row * count));
    auto* const y = static_cast<int8_t*>(output.From(row * count));
    const int largest = *std::max_element(x, x + count);
    if (kStockHasWholePowers) return InFixedPoint(x, largest, count, to, y);
    float sum = 0;
    for (size_t i = 0; i < count; ++i) sum += powers_[largest - x[i]];
    const float scale = 1.0f / (sum * to.scale);
    for (size_t i = 0; i < count; ++i) {
      // (Towards zero, of what is never negative.)
      const float share = std::min(powers_[largest - x[i]] * scale, 255.0f);
      const int number = static_cast<int>(share + 0.5f) + to.zero_point;
      y[i] = static_cast<int8_t>(std::min(127, std::max(-128, number)));
    }
  });
}

}  // namespace sbnn
