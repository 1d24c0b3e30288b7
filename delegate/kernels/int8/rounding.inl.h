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

// A row's last vector may overlap the one before.
template <class V>
void Range(const float* x, size_t stride, size_t rows, size_t count, float* least, float* most) {
  constexpr size_t kLanes = V::kLanes;
  typename V::Floats low[2] = {V::SetScale(*least), V::SetScale(*least)};
  typename V::Floats high[2] = {V::SetScale(*most), V::SetScale(*most)};
  const auto add = [&](const float* p, int chain) {
    const typename V::Floats v = V::LoadFloats(p);
    low[chain] = V::Min(low[chain], v);
    high[chain] = V::Max(high[chain], v);
  };
  for (size_t r = 0; r < rows; ++r, x += stride) {
    if (count < kLanes) {
      for (size_t i = 0; i < count; ++i) {
        *least = Less(*least, x[i]);
        *most = More(*most, x[i]);
      }
      continue;
    }
    size_t i = 0;
    for (; i + 2 * kLanes <= count; i += 2 * kLanes) {
      add(x + i, 0);
      add(x + i + kLanes, 1);
    }
    if (i + kLanes <= count) add(x + i, 0);
    if (count % kLanes != 0) add(x + count - kLanes, 1);
  }
  float lows[kLanes], highs[kLanes];
  V::StoreFloats(lows, V::Min(low[0], low[1]));
  V::StoreFloats(highs, V::Max(high[0], high[1]));
  for (size_t i = 0; i < kLanes; ++i) {
    *least = Less(*least, lows[i]);
    *most = More(*most, highs[i]);
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

// (In two loops, since compilers make no vectors of one that both rounds and narrows.)
void RoundToPanel(const RoundArgs& args) {
  constexpr size_t kPixels = 256;
  int32_t whole[kPixels];
  for (int c = 0; c < args.channels; ++c) {
    for (size_t first = 0; first < args.pixels; first += kPixels) {
      const size_t rest = args.pixels - first, count = rest < kPixels ? rest : kPixels;
      const float* const x = args.x + c * args.x_stride + first;
      const float* const scales = args.scales + first;
      const int32_t* const zero_points = args.zero_points + first;
      for (size_t i = 0; i < count; ++i) {
        whole[i] = Rounded(x[i], scales[i], zero_points[i] - SBNN_INPUT_OFFSET);
      }
      int8_t* const y = args.y + c * args.y_stride + first;
      for (size_t i = 0; i < count; ++i) y[i] = static_cast<int8_t>(whole[i]);
    }
  }
}

void RoundAway(const float* x, float* y, size_t count, float scale, int32_t zero_point) {
  const auto lo = static_cast<float>(-128 - zero_point);
  const auto hi = static_cast<float>(127 - zero_point);
  for (size_t i = 0; i < count; ++i) {
    // (Limited first, so that it is an integer.)
    float v = Less(x[i] * scale, hi);
    v = More(v, lo);
    v += v < 0 ? -0.5f : 0.5f;
    y[i] = static_cast<float>(static_cast<int32_t>(v));
  }
}

void Scale(const ScaleArgs& args) {
  float* const y = args.y;
  const float a = args.a, b = args.b, c = args.c, lo = args.lo, hi = args.hi;
  const size_t count = args.count;
  for (size_t i = 0; i < count; ++i) {
    float v = y[i] * a;
    v *= b;
    v += c;
    y[i] = Less(More(v, lo), hi);
  }
}

template <class V>
constexpr Rounding kRounding = {&Ranges,       &Range<V>,  &Roundings, &RoundToQuads,
                                &RoundToPanel, &RoundAway, &Scale};

}  // namespace
}  // namespace SBNN_ISA
}  // namespace int8
}  // namespace sbnn
