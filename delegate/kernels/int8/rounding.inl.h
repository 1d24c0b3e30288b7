// Loops so plain that compilers make vectors of them. (After elementwise.inl.h, which has the
// rounding itself.)
#include "delegate/kernels/int8/rounding.h"

namespace sbnn {
namespace int8 {
namespace SBNN_ISA {
namespace {

SBNN_INLINE float Less(float a, float b) { return a < b ? a : b; }
SBNN_INLINE float More(float a, float b) { return a > b ? a : b; }

// Some pixels at a time, whose ranges stay in the L1 cache.
void Ranges(const RangesArgs& args) {
  constexpr size_t kPixels = 256;
  for (size_t first = 0; first < args.pixels; first += kPixels) {
    const size_t rest = args.pixels - first, count = rest < kPixels ? rest : kPixels;
    float* __restrict const least = args.least + first;
    float* __restrict const most = args.most + first;
    for (int c = 0; c < args.channels; ++c) {
      const float* __restrict const x = args.x + c * args.x_stride + first;
      for (size_t i = 0; i < count; ++i) {
        least[i] = Less(least[i], x[i]);
        most[i] = More(most[i], x[i]);
      }
    }
  }
}

void Range(const float* x, size_t count, float* least, float* most) {
  constexpr size_t kChains = 32;
  float low[kChains], high[kChains];
  for (size_t k = 0; k < kChains; ++k) {
    low[k] = *least;
    high[k] = *most;
  }
  size_t i = 0;
  for (; i + kChains <= count; i += kChains) {
    for (size_t k = 0; k < kChains; ++k) {
      low[k] = Less(low[k], x[i + k]);
      high[k] = More(high[k], x[i + k]);
    }
  }
  for (; i < count; ++i) {
    low[0] = Less(low[0], x[i]);
    high[0] = More(high[0], x[i]);
  }
  for (size_t k = 0; k < kChains; ++k) {
    *least = Less(*least, low[k]);
    *most = More(*most, high[k]);
  }
}

// (The zero point is whichever end of the range suffers less from being moved to a whole number.)
void Roundings(const RoundingsArgs& args) {
  const float *const from_least = args.least, *const from_most = args.most;
  float *const scales = args.scales, *const back = args.back;
  int32_t* const zero_points = args.zero_points;
  for (size_t i = 0; i < args.count; ++i) {
    const float least = from_least[i], most = from_most[i];
    const float scale = least == most ? 1.0f : 255.0f / (most - least);
    const float low = least * scale, high = most * scale;
    const float by_low = -128.0f - low, by_high = 127.0f - high;
    float zero_point = (-128.0f + low) + (127.0f + high) > 0 ? by_low : by_high;
    zero_point = Less(More(zero_point, -128.0f), 127.0f) + kRounder;
    int32_t bits;
    __builtin_memcpy(&bits, &zero_point, sizeof(bits));
    scales[i] = scale;
    back[i] = 1.0f / scale;
    zero_points[i] = bits - kRounderBits + SBNN_INPUT_OFFSET;
  }
}

SBNN_INLINE int32_t Rounded(float x, float scale, int32_t zero_point) {
  return Round(x * scale, static_cast<float>(-128 - zero_point),
               static_cast<float>(127 - zero_point), zero_point);
}

void RoundToQuads(const RoundArgs& args) {
  using Dword = uint32_t __attribute__((may_alias, aligned(1)));
  const float* __restrict const scales = args.scales;
  const int32_t* __restrict const zero_points = args.zero_points;
  for (int c = 0; c < args.channels; c += 4) {
    const float* x[4];
    for (int k = 0; k < 4; ++k) {
      const int channel = c + k < args.channels ? c + k : args.channels - 1;
      x[k] = args.x + channel * args.x_stride;
    }
    const float* __restrict const x0 = x[0], * __restrict const x1 = x[1];
    const float* __restrict const x2 = x[2], * __restrict const x3 = x[3];
    auto* __restrict const y = reinterpret_cast<Dword*>(args.y + c / 4 * args.y_stride);
    for (size_t i = 0; i < args.pixels; ++i) {
      const float scale = scales[i];
      const int32_t zero = zero_points[i] - SBNN_INPUT_OFFSET;
      const auto byte = [&](float value) {
        return static_cast<uint32_t>(Rounded(value, scale, zero)) & 0xff;
      };
      y[i] = byte(x0[i]) | byte(x1[i]) << 8 | byte(x2[i]) << 16 | byte(x3[i]) << 24;
    }
  }
}

void RoundToPanel(const RoundArgs& args) {
  const float* __restrict const scales = args.scales;
  const int32_t* __restrict const zero_points = args.zero_points;
  for (int c = 0; c < args.channels; ++c) {
    const float* __restrict const x = args.x + c * args.x_stride;
    int8_t* __restrict const y = args.y + c * args.y_stride;
    for (size_t i = 0; i < args.pixels; ++i) {
      y[i] = static_cast<int8_t>(Rounded(x[i], scales[i], zero_points[i] - SBNN_INPUT_OFFSET));
    }
  }
}

constexpr Rounding kRounding = {&Ranges, &Range, &Roundings, &RoundToQuads, &RoundToPanel};

}  // namespace
}  // namespace SBNN_ISA
}  // namespace int8
}  // namespace sbnn
