#include "delegate/engine/ops/int8/mean.h"

#include <algorithm>

#include "delegate/engine/stock_rounding.h"
#include "delegate/engine/strided.h"
#include "delegate/kernels/int8/table.h"

namespace sbnn {
namespace {

constexpr int kUnits = 32;  // channels, or quads of them, of a task

// From the sum of some numbers of the input to one of the output: the zero points of both become
// one, to which the sum times a scale is added. (Floats round: what was uint8 has its own numbers.)
class Rounded {
 public:
  Rounded(const Tensor& input, const Tensor& output, size_t count, int above_int8)
      : scale_(input.quantization.scale / output.quantization.scale *
               (1.0f / static_cast<float>(count))),
        above_int8_(above_int8),
        more_(static_cast<int32_t>(count) * above_int8) {
    const int32_t zeros = static_cast<int32_t>(count) * input.quantization.zero_point + more_;
    zero_point_ = MultiplyAdd(-static_cast<float>(zeros), scale_,
                              static_cast<float>(output.quantization.zero_point + above_int8));
  }

  int8_t operator()(int32_t sum) const {
    const float mean = MultiplyAdd(static_cast<float>(sum + more_), scale_, zero_point_);
    // Limited, a number has so few bits that adding 1.5 * 2^23 rounds it: faster than a call.
    const volatile float rounded = std::min(1024.0f, std::max(-1024.0f, mean)) + 0x1.8p23f;
    const float of_int8 = rounded - 0x1.8p23f - static_cast<float>(above_int8_);
    return static_cast<int8_t>(std::min(127.0f, std::max(-128.0f, of_int8)));
  }

 private:
  float scale_, zero_point_;
  int above_int8_;
  int32_t more_;
};

}  // namespace

LayoutUse Int8Mean::Reads(Layout layout, const std::vector<Shape>& inputs) const {
  if (OverPixels(inputs[0])) {
    if (layout == Layout::kFlat) return LayoutUse::kCannot;
    // (Four channels are added up at once.)
    return layout == Layout::kQuads ? LayoutUse::kPrefers : LayoutUse::kCan;
  }
  return layout == Layout::kQuads ? LayoutUse::kCannot : LayoutUse::kCan;
}

Status Int8Mean::Plan(const std::vector<const Tensor*>& inputs, const Tensor& output,
                      const PlanContext&, uint64_t* scratch) {
  const size_t elements = ElementCount(inputs[0]->shape), means = ElementCount(output.shape);
  if (elements / std::max<size_t>(1, means) > size_t{1} << 23) {
    return Status::Error("a mean of more than 2^23 numbers of int8");  // sums have 32 bits
  }
  *scratch = OverPixels(inputs[0]->shape) ? 0 : elements + means;
  return Status();
}

void Int8Mean::Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
                   const RunContext& context) const {
  const int8::Elementwise& kernels = int8::KernelsOf(context.kernels.isa)->elementwise;
  const Tensor& input = *inputs[0];
  const Images image = input.images();
  if (OverPixels(input.shape)) {
    const Rounded rounded(input, output, image.pixels(), above_int8_);
    auto* const means = static_cast<int8_t*>(output.data);
    const bool panel = input.layout == Layout::kPanel;
    const int units = panel ? image.c : (image.c + 3) / 4, size = panel ? 1 : 4;
    const int tasks = (units + kUnits - 1) / kUnits;
    context.team.Run(image.n * tasks, [&](int task, int) {
      const int n = task / tasks, first = task % tasks * kUnits;
      for (int unit = first; unit < std::min(units, first + kUnits); ++unit) {
        const int8_t* const x = input.bytes(n, unit);
        int32_t sums[4];
        if (panel) {
          sums[0] = kernels.sum(x, image.pixels());
        } else {
          kernels.sum_quads(x, image.pixels(), sums);
        }
        for (int c = size * unit; c < std::min(image.c, size * (unit + 1)); ++c) {
          means[static_cast<size_t>(n) * image.c + c] = rounded(sums[c % size]);
        }
      }
    });
    return;
  }
  auto* const rows = static_cast<int8_t*>(context.scratch);
  const size_t count = CopyAsRows(input, rows, context);
  const size_t results = ElementCount(output.shape);
  int8_t* const means = rows + results * count;
  const Rounded rounded(input, output, count, above_int8_);
  context.team.Run(static_cast<int>(results),
                   [&](int r, int) { means[r] = rounded(kernels.sum(rows + r * count, count)); });
  CopyStrided(output.shape, means, RowMajorStrides(output.shape), output.data, StridesOf(output),
              ElementType::kInt8, context.kernels, context.team);
}

}  // namespace sbnn
