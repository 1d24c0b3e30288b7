// Sums of two numbers, as XNNPACK's.
#include "delegate/kernels/int8/elementwise.h"

namespace sbnn {
namespace int8 {
namespace SBNN_ISA {
namespace {

SBNN_INLINE int8_t Limited(int32_t y, const Requantization& to) {
  y += to.zero_point;
  y = y < to.lo ? to.lo : y;
  return static_cast<int8_t>(y > to.hi ? to.hi : y);
}

#if defined(__AVX2__)
// A factor of 22 bits is a high and a low number, of which an instruction multiplies pairs (a, b).
class Adder {
 public:
  SBNN_INLINE Adder(const AddArgs& args, int32_t bias)
      : low_(Pairs(args.a_factor & (kOne - 1), args.b_factor & (kOne - 1))),
        high_(Pairs(args.a_factor >> kLowBits, args.b_factor >> kLowBits)),
        bias_(_mm256_set1_epi32(bias)),
        shift_(_mm_cvtsi32_si128(args.shift)),
        zero_point_(_mm256_set1_epi16(static_cast<short>(args.to.zero_point))),
        lo_(_mm256_set1_epi8(static_cast<char>(args.to.lo))),
        hi_(_mm256_set1_epi8(static_cast<char>(args.to.hi))) {}

  // Of 32 elements.
  SBNN_INLINE __m256i Sums(const __m128i (&a)[2], const __m128i (&b)[2]) const {
    __m256i sums[2];
#pragma GCC unroll 2
    for (int i = 0; i < 2; ++i) {
      const __m256i first = Shifted(_mm_unpacklo_epi8(a[i], b[i]));
      const __m256i second = Shifted(_mm_unpackhi_epi8(a[i], b[i]));
      sums[i] = _mm256_adds_epi16(_mm256_packs_epi32(first, second), zero_point_);
    }
    const __m256i y = _mm256_packs_epi16(sums[0], sums[1]);
    // Dwords as packing left them: 0 2 4 6 of one half's, 1 3 5 7 of the other's.
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    return _mm256_min_epi8(_mm256_max_epi8(_mm256_permutevar8x32_epi32(y, order), lo_), hi_);
  }

 private:
  static constexpr int kLowBits = 11;
  static constexpr int32_t kOne = 1 << kLowBits;

  static SBNN_INLINE __m256i Pairs(int32_t a, int32_t b) {
    return _mm256_set1_epi32(static_cast<int32_t>((static_cast<uint32_t>(b) << 16) |
                                                  (static_cast<uint32_t>(a) & 0xffffu)));
  }
  // From eight pairs of bytes.
  SBNN_INLINE __m256i Shifted(__m128i pairs) const {
    const __m256i ab = _mm256_cvtepi8_epi16(pairs);
    const __m256i high = _mm256_slli_epi32(_mm256_madd_epi16(ab, high_), kLowBits);
    const __m256i sum =
        _mm256_add_epi32(_mm256_madd_epi16(ab, low_), _mm256_add_epi32(high, bias_));
    return _mm256_sra_epi32(sum, shift_);
  }

  const __m256i low_, high_, bias_;
  const __m128i shift_;
  const __m256i zero_point_, lo_, hi_;
};
#endif

void Add(const AddArgs& args) {
  const int8_t *const a = args.a, *const b = args.b;
  int8_t* const y = args.y;
  const size_t count = args.count;
  const int32_t a_factor = args.a_factor, b_factor = args.b_factor;
  const int32_t bias = args.bias + (args.b_is_scalar ? b[0] * b_factor : 0);
  size_t i = 0;
#if defined(__AVX2__)
  const Adder adder(args, bias);
  for (; i + 32 <= count; i += 32) {
    const __m128i x[2] = {V128::LoadRaw(a + i), V128::LoadRaw(a + i + 16)};
    __m128i other[2] = {};
    if (!args.b_is_scalar) {
      other[0] = V128::LoadRaw(b + i);
      other[1] = V128::LoadRaw(b + i + 16);
    }
    V256::Store(y + i, adder.Sums(x, other));
  }
#endif
  const Requantization to = args.to;
  const int shift = args.shift;
  if (args.b_is_scalar) {
    for (; i < count; ++i) y[i] = Limited((bias + a[i] * a_factor) >> shift, to);
  } else {
    for (; i < count; ++i) y[i] = Limited((bias + a[i] * a_factor + b[i] * b_factor) >> shift, to);
  }
}

}  // namespace
}  // namespace SBNN_ISA
}  // namespace int8
}  // namespace sbnn
