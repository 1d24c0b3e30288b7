// Loops so plain that compilers make vectors of them.
#include "delegate/kernels/int8/elementwise.h"

#include "delegate/kernels/int8/add.inl.h"
#include "delegate/kernels/int8/lookup.inl.h"

namespace sbnn {
namespace int8 {
namespace SBNN_ISA {
namespace {

// What rounds a float to the nearest whole number, ties to even: next to it, they are 1 apart.
constexpr float kRounder = 12582912.0f;
constexpr int32_t kRounderBits = 0x4B400000;

// (Limited first, so that every float has a place beside the rounder; not a number is the most.)
SBNN_INLINE int8_t Round(float y, float lo, float hi, int32_t zero_point) {
  y = y < hi ? y : hi;
  y = y > lo ? y : lo;
  y += kRounder;
  int32_t bits;
  __builtin_memcpy(&bits, &y, sizeof(bits));
  return static_cast<int8_t>(bits - kRounderBits + zero_point);
}

SBNN_INLINE float LowOf(const Requantization& to) {
  return static_cast<float>(to.lo - to.zero_point);
}
SBNN_INLINE float HighOf(const Requantization& to) {
  return static_cast<float>(to.hi - to.zero_point);
}

// A float as a whole number of 24 bits, over a power of two.
struct Ratio {
  int64_t multiplier, half;
  int shift;

  SBNN_INLINE explicit Ratio(float x) {
    uint32_t bits;
    __builtin_memcpy(&bits, &x, sizeof(bits));
    multiplier = (bits & 0x7FFFFF) | 0x800000;
    shift = 150 - static_cast<int>(bits >> 23);
    half = int64_t{1} << (shift - 1);
  }
};

void MultiplyExactly(const MultiplyArgs& args) {
  const Ratio scale(args.scale);
  const int64_t multiplier = scale.multiplier, half = scale.half;
  const int shift = scale.shift;
  const int32_t a_zero = args.a_zero_point, b_zero = args.b_zero_point, zero = args.to.zero_point;
  const int32_t lo = args.to.lo - zero, hi = args.to.hi - zero;
  const int8_t *const a = args.a, *const b = args.b;
  int8_t* const y = args.y;
  const size_t step = args.b_is_scalar ? 0 : 1;
  for (size_t i = 0; i < args.count; ++i) {
    const int32_t product = (a[i] - a_zero) * (b[i * step] - b_zero);
    auto v = static_cast<int32_t>((product * multiplier + half) >> shift);
    v = v < hi ? v : hi;
    y[i] = static_cast<int8_t>((v > lo ? v : lo) + zero);
  }
}

void Multiply(const MultiplyArgs& args) {
  if (args.exact) return MultiplyExactly(args);
  const float scale = args.scale, lo = LowOf(args.to), hi = HighOf(args.to);
  const int32_t a_zero = args.a_zero_point, b_zero = args.b_zero_point, zero = args.to.zero_point;
  const int8_t *const a = args.a, *const b = args.b;
  int8_t* const y = args.y;
  const size_t count = args.count;
  if (args.b_is_scalar) {
    const int32_t factor = b[0] - b_zero;
    for (size_t i = 0; i < count; ++i) {
      y[i] = Round(static_cast<float>((a[i] - a_zero) * factor) * scale, lo, hi, zero);
    }
    return;
  }
  for (size_t i = 0; i < count; ++i) {
    y[i] = Round(static_cast<float>((a[i] - a_zero) * (b[i] - b_zero)) * scale, lo, hi, zero);
  }
}

void Quantize(const float* x, int8_t* y, size_t count, float inverse_scale,
              const Requantization& to) {
  const float lo = LowOf(to), hi = HighOf(to);
  const int32_t zero = to.zero_point;
  for (size_t i = 0; i < count; ++i) y[i] = Round(x[i] * inverse_scale, lo, hi, zero);
}

void Dequantize(const int8_t* x, float* y, size_t count, float scale, int32_t zero_point) {
  for (size_t i = 0; i < count; ++i) y[i] = static_cast<float>(x[i] - zero_point) * scale;
}

// Turned, a quarter has four pixels of each channel side by side.
template <class V>
void SumQuads(const int8_t* x, size_t pixels, int32_t* sums) {
  alignas(16) const int8_t ones[16] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
  const typename V::Weights one = V::Repeat(ones);
  typename V::Sums four = V::Set(0);
  size_t i = 0;
  for (; i + V::kLanes <= pixels; i += V::kLanes) {
    V::Dot(four, V::Prepare(V::Turn(V::Load(x + 4 * i))), one);
  }
  if (i < pixels) {
    const typename V::Part rest(0, static_cast<int>(pixels - i));
    V::Dot(four, V::Prepare(V::Turn(V::LoadPart(x + 4 * i, rest, V::Fill(0)))), one);
    i += V::kLanes;
  }
  // (Each input is so much greater here.)
  const auto offset = static_cast<int32_t>(i * SBNN_INPUT_OFFSET);
  V128::StoreSums(sums, V::AddQuarters(four));
  for (int c = 0; c < 4; ++c) sums[c] -= offset;
}

template <class V>
int32_t Sum(const int8_t* x, size_t count) {
  const size_t quads = count / 4;
  int32_t sums[4];
  SumQuads<V>(x, quads, sums);
  int32_t sum = sums[0] + sums[1] + sums[2] + sums[3];
  for (size_t i = 4 * quads; i < count; ++i) sum += x[i];
  return sum;
}

void Accumulate(const int8_t* x, int32_t* sums, size_t count) {
  for (size_t i = 0; i < count; ++i) sums[i] += x[i];
}

template <int kBytes>
SBNN_INLINE void MaximumOf(const int8_t* x, int8_t* y) {
  typedef int8_t Bytes __attribute__((vector_size(kBytes)));
  Bytes a, b;
  __builtin_memcpy(&a, x, kBytes);
  __builtin_memcpy(&b, y, kBytes);
  b = a > b ? a : b;
  __builtin_memcpy(y, &b, kBytes);
}

// (Rows are often shorter than a vector, and must not end in a loop of bytes.)
void Maximum(const int8_t* x, int8_t* y, size_t count) {
  size_t i = 0;
  for (; i + 32 <= count; i += 32) MaximumOf<32>(x + i, y + i);
  if (count - i >= 16) MaximumOf<16>(x + i, y + i), i += 16;
  if (count - i >= 8) MaximumOf<8>(x + i, y + i), i += 8;
  if (count - i >= 4) MaximumOf<4>(x + i, y + i), i += 4;
  for (; i < count; ++i) y[i] = x[i] > y[i] ? x[i] : y[i];
}

void Limit(int8_t* y, size_t count, int8_t lo, int8_t hi) {
  for (size_t i = 0; i < count; ++i) {
    const int8_t v = y[i] < lo ? lo : y[i];
    y[i] = v > hi ? hi : v;
  }
}

template <class V>
constexpr Elementwise kElementwise = {&Add,    &Multiply,    &Lookup,     &Quantize, &Dequantize,
                                      &Sum<V>, &SumQuads<V>, &Accumulate, &Maximum,  &Limit};

}  // namespace
}  // namespace SBNN_ISA
}  // namespace int8
}  // namespace sbnn
