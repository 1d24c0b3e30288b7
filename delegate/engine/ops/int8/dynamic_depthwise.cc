#include "delegate/engine/ops/int8/dynamic_depthwise.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "delegate/engine/rounded_image.h"

namespace sbnn {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Channels that TensorFlow Lite computes together.
constexpr int kStockVector = 4;

struct Scaling {
  float scale = 1;  // from int8 to floats
  int zero_point = 0;
};

// TensorFlow Lite's: the zero point is whichever end of the range suffers less from being moved to
// a whole number, halves away from 0.
Scaling ScalingOf(float least, float most) {
  if (least == most) return {};
  const double scale = static_cast<double>(most - least) / 255.0;
  const double low = least / scale, high = most / scale;
  double zero_point = 128 + std::abs(low) < 127 + std::abs(high) ? -128 - low : 127 - high;
  // (Not a number, of a range without end, is -128.)
  zero_point = zero_point > -128 ? std::min(zero_point, 127.0) : -128;
  return {static_cast<float>(scale), static_cast<int>(std::round(zero_point))};
}

}  // namespace

DynamicDepthwise::DynamicDepthwise(std::shared_ptr<const DepthwiseWeights> weights,
                                   std::vector<float> scale, std::vector<float> bias,
                                   const Window& window, float lo, float hi)
    : sums_(std::move(weights), window, -kInfinity, kInfinity),
      scale_(std::move(scale)),
      bias_(std::move(bias)),
      lo_(lo),
      hi_(hi) {}

Status DynamicDepthwise::Plan(const std::vector<const Tensor*>& inputs, const Tensor& output,
                              const PlanContext& context, uint64_t* scratch) {
  kernels_ = int8::KernelsOf(context.kernels.isa);
  const Tensor& input = *inputs[0];
  const Status status = sums_.Plan(inputs, output, context, scratch);
  // (Kernels read before the first plane.)
  rounded_at_ = RoundUp(*scratch, kVectorBytes) + kVectorBytes;
  *scratch = rounded_at_ + RoundUp(input.allocation(), kVectorBytes) + kVectorBytes +
             uint64_t(input.images().n) * sizeof(float);
  return status;
}

float DynamicDepthwise::Round(const Tensor& input, int n, const Tensor& rounded,
                              const RunContext& context) const {
  float least = 0, most = 0;
  RangeOfImage(input, n, *kernels_, context.team, &least, &most);
  const Scaling to = ScalingOf(least, most);
  const Images in = input.images();
  const bool flat = input.layout == Layout::kFlat;
  const int planes = flat ? 1 : in.c;
  const size_t count = in.pixels() * (flat ? in.c : 1);
  context.team.Run(planes, [&](int c, int) {
    kernels_->rounding.away(input.Plane(n, c), rounded.Plane(n, c), count, 1.0f / to.scale,
                            to.zero_point);
  });
  return to.scale;
}

void DynamicDepthwise::Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
                           const RunContext& context) const {
  Tensor rounded = *inputs[0];
  rounded.data = context.ScratchOf(1, rounded_at_);
  const Images out = output.images();
  auto* const scales = reinterpret_cast<float*>(static_cast<char*>(rounded.data) +
                                                RoundUp(rounded.allocation(), kVectorBytes));
  for (int n = 0; n < out.n; ++n) scales[n] = Round(*inputs[0], n, rounded, context);
  sums_.Run({&rounded}, output, context);
  // What is left of whole vectors is multiplied the other way round there.
  const int whole = out.c / kStockVector * kStockVector;
  context.team.Run(out.n * out.c, [&](int task, int) {
    const int n = task / out.c, c = task % out.c;
    const float first = c < whole ? scale_[c] : scales[n];
    const float second = c < whole ? scales[n] : scale_[c];
    kernels_->rounding.scale({output.Plane(n, c), out.pixels(), first, second, bias_[c], lo_, hi_});
  });
}

}  // namespace sbnn
