// Vectors of 16 floats: AVX-512 F, BW, DQ and VL.
#ifndef SBNN_DELEGATE_KERNELS_VEC_AVX512_H_
#define SBNN_DELEGATE_KERNELS_VEC_AVX512_H_

#define SBNN_ISA avx512
#define SBNN_ISA_NAME "avx512"
#define SBNN_ELEMENT float

#include <immintrin.h>

#include "delegate/kernels/vec/begin.inl.h"
#include "delegate/kernels/vec/compiler_sums.inl.h"

namespace sbnn {
namespace SBNN_ISA {

constexpr int kRegisters = 32;
constexpr bool kMemoryOperands = true;

struct Vec {
  static constexpr int kLanes = 16;
  static constexpr bool kShiftsCostLess = true;
  static constexpr bool kExactThirds = true;
  static constexpr int kSideBySide = 1;
  static constexpr int kStepsOfTwo = 32;
  static constexpr float kRounder = 0x1.8p18f;
  __m512 v;
};
SBNN_INLINE Vec Load(const float* p) { return {_mm512_loadu_ps(p)}; }
SBNN_INLINE void Store(float* p, Vec a) { _mm512_storeu_ps(p, a.v); }
SBNN_INLINE Vec Set(float x) { return {_mm512_set1_ps(x)}; }
SBNN_INLINE Vec Fma(Vec a, Vec b, Vec c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }
SBNN_INLINE Vec Add(Vec a, Vec b) { return {_mm512_add_ps(a.v, b.v)}; }
SBNN_INLINE Vec Sub(Vec a, Vec b) { return {_mm512_sub_ps(a.v, b.v)}; }
SBNN_INLINE Vec Mul(Vec a, Vec b) { return {_mm512_mul_ps(a.v, b.v)}; }
SBNN_INLINE Vec Div(Vec a, Vec b) { return {_mm512_div_ps(a.v, b.v)}; }
// (A polynomial for whole powers needs three steps more.)
SBNN_INLINE Vec PowerOfTwo(Vec t) {
  static const float kPowers[32] = {
      1.0f,       1.0218972f, 1.0442737f, 1.0671405f, 1.0905077f, 1.1143868f, 1.1387886f,
      1.1637249f, 1.1892071f, 1.2152474f, 1.2418578f, 1.269051f,  1.2968396f, 1.3252367f,
      1.3542556f, 1.38391f,   1.4142135f, 1.4451808f, 1.4768262f, 1.5091645f, 1.5422108f,
      1.5759809f, 1.6104903f, 1.6457555f, 1.6817929f, 1.7186193f, 1.7562522f, 1.7947091f,
      1.8340081f, 1.8741677f, 1.9152066f, 1.9571441f};
  const __m512i bits = _mm512_castps_si512(t.v);
  const __m512 part =
      _mm512_permutex2var_ps(_mm512_loadu_ps(kPowers), bits, _mm512_loadu_ps(kPowers + 16));
  const __m512i whole = _mm512_slli_epi32(_mm512_and_si512(bits, _mm512_set1_epi32(~31)), 18);
  return {_mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(part), whole))};
}
// Of so many columns, G times the element of x that each names.
template <int G>
constexpr int kSpreadColumns = G == 4 || G == 8 ? 16 / G : 1;
template <int G>
SBNN_INLINE Vec SpreadColumns(const float* x, const uint16_t* columns) {
  const auto merge = [&](__m512 v, __mmask16 mask, int i) {
    return _mm512_mask_broadcastss_ps(v, mask, _mm_load_ss(x + columns[i]));
  };
  const __m512 v = _mm512_set1_ps(x[columns[0]]);
  if constexpr (G == 8) return {merge(v, 0xff00, 1)};
  return {merge(merge(merge(v, 0x00f0, 1), 0x0f00, 2), 0xf000, 3)};
}
SBNN_INLINE Vec Max(Vec a, Vec b) { return {_mm512_max_ps(a.v, b.v)}; }
SBNN_INLINE Vec Min(Vec a, Vec b) { return {_mm512_min_ps(a.v, b.v)}; }
SBNN_INLINE __mmask16 FirstLanes(int n) { return static_cast<__mmask16>((1u << n) - 1u); }
SBNN_INLINE Vec LoadFirst(const float* p, int n) {
  return {_mm512_maskz_loadu_ps(FirstLanes(n), p)};
}
SBNN_INLINE void StoreFirst(float* p, Vec a, int n) {
  _mm512_mask_storeu_ps(p, FirstLanes(n), a.v);
}
typedef __mmask16 Mask;
SBNN_INLINE Mask MaskOf(int first, int end) {
  const __m512i lane = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
  return _mm512_mask_cmplt_epi32_mask(_mm512_cmpge_epi32_mask(lane, _mm512_set1_epi32(first)), lane,
                                      _mm512_set1_epi32(end));
}
SBNN_INLINE Vec LoadMasked(const float* p, Mask m) { return {_mm512_maskz_loadu_ps(m, p)}; }
SBNN_INLINE Vec Blend(Mask m, Vec a, Vec b) { return {_mm512_mask_blend_ps(m, b.v, a.v)}; }
SBNN_INLINE Vec LoadThirds(const float* p) {
  // The three vectors have their thirds in different lanes.
  __m512 v = _mm512_loadu_ps(p);
  v = _mm512_mask_loadu_ps(v, 0x4924, p + 16);
  v = _mm512_mask_loadu_ps(v, 0x2492, p + 32);
  const __m512i order = _mm512_set_epi32(13, 10, 7, 4, 1, 14, 11, 8, 5, 2, 15, 12, 9, 6, 3, 0);
  return {_mm512_permutexvar_ps(order, v)};
}
// (The compiler would overwrite the index in place of `a`, and load it again each time.)
SBNN_INLINE __m512 PickFromTwo(__m512 a, __m512 b, __m512i index) {
  __asm__("vpermt2ps %2, %1, %0" : "+v"(a) : "v"(index), "v"(b));
  return a;
}
SBNN_INLINE void Deinterleave(Vec a, Vec b, Vec* even, Vec* odd) {
  const __m512i e = _mm512_set_epi32(30, 28, 26, 24, 22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2, 0);
  const __m512i o = _mm512_set_epi32(31, 29, 27, 25, 23, 21, 19, 17, 15, 13, 11, 9, 7, 5, 3, 1);
  even->v = PickFromTwo(a.v, b.v, e);
  odd->v = PickFromTwo(a.v, b.v, o);
}
template <int N>
SBNN_INLINE Vec Shifted(Vec a, Vec b) {
  return {_mm512_castsi512_ps(
      _mm512_alignr_epi32(_mm512_castps_si512(b.v), _mm512_castps_si512(a.v), N))};
}
// Two halves of 8 lanes, for two things at once that need no more.
#define SBNN_VECTOR_HALVES
SBNN_INLINE Vec SetHalves(float low, float high) {
  return {_mm512_mask_broadcastss_ps(_mm512_set1_ps(low), 0xff00, _mm_set_ss(high))};
}
// The first n lanes of each. (The upper half in a register of its own: the instruction that stores
// it from where it is faults at lanes that its mask leaves out.)
SBNN_INLINE void StoreHalves(float* low, float* high, Vec a, int n) {
  const __mmask8 first = static_cast<__mmask8>((1u << n) - 1u);
  __m256 upper = _mm512_extractf32x8_ps(a.v, 1);
  __asm__("" : "+v"(upper));
  _mm256_mask_storeu_ps(low, first, _mm512_castps512_ps256(a.v));
  _mm256_mask_storeu_ps(high, first, upper);
}
// Lane i of a half is float first + step * i of a (the low half) or b; zero unless that is one of
// the first n.
struct PairIndex {
  __m512i index;
  __mmask16 mask;
};
SBNN_INLINE PairIndex PairIndexOf(int first, int step, int n) {
  const __m512i lane = _mm512_set_epi32(7, 6, 5, 4, 3, 2, 1, 0, 7, 6, 5, 4, 3, 2, 1, 0);
  const __m512i at =
      _mm512_add_epi32(_mm512_set1_epi32(first), _mm512_mullo_epi32(lane, _mm512_set1_epi32(step)));
  const __mmask16 mask = _mm512_cmplt_epu32_mask(at, _mm512_set1_epi32(n));
  return {_mm512_mask_add_epi32(at, 0xff00, at, _mm512_set1_epi32(16)), mask};
}
SBNN_INLINE Vec LookUp(Vec a, Vec b, const PairIndex& i) {
  return {_mm512_maskz_permutex2var_ps(i.mask, a.v, i.index, b.v)};
}
SBNN_INLINE Vec Permute(Vec a, const int32_t* p, int first) {
  const __m512i lanes = _mm512_sub_epi32(_mm512_loadu_si512(p), _mm512_set1_epi32(first));
  return {_mm512_permutexvar_ps(lanes, a.v)};
}
SBNN_INLINE float AddLanes(Vec a) { return _mm512_reduce_add_ps(a.v); }
// Where the compiler would rather load it again for each use.
SBNN_INLINE Vec Keep(Vec a) {
  __asm__("" : "+v"(a.v));
  return a;
}
SBNN_INLINE Four FirstFour(Vec a) { return _mm512_castps512_ps128(a.v); }
// (With one load.)
typedef double TwoFloats __attribute__((may_alias, aligned(4)));
struct TwoSets {
  SBNN_INLINE explicit TwoSets(const float* p) {
    const __m512d two = _mm512_set1_pd(*reinterpret_cast<const TwoFloats*>(p));
    const __m512 both = Keep({_mm512_castpd_ps(two)}).v;
    of[0].v = _mm512_moveldup_ps(both);
    of[1].v = _mm512_movehdup_ps(both);
  }
  Vec of[2];
};
using WideVec = Vec;
SBNN_INLINE WideVec Widen(Vec a) { return a; }

}  // namespace SBNN_ISA
}  // namespace sbnn

#include "delegate/kernels/vec/broadcast.inl.h"

#endif  // SBNN_DELEGATE_KERNELS_VEC_AVX512_H_
