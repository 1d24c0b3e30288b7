// Vectors of 8 floats: AVX2 and FMA.
#ifndef SBNN_DELEGATE_KERNELS_VEC_AVX2_H_
#define SBNN_DELEGATE_KERNELS_VEC_AVX2_H_

#define SBNN_ISA avx2
#define SBNN_ISA_NAME "avx2"
#define SBNN_ELEMENT float

#include <immintrin.h>

#include "delegate/kernels/vec/begin.inl.h"
#include "delegate/kernels/vec/compiler_sums.inl.h"

namespace sbnn {
namespace SBNN_ISA {

constexpr int kRegisters = 16;
constexpr bool kMemoryOperands = true;

struct Vec {
  static constexpr int kLanes = 8;
  static constexpr bool kShiftsCostLess = true;
  static constexpr bool kExactThirds = true;
  static constexpr int kSideBySide = 1;
  static constexpr int kStepsOfTwo = 1;
  static constexpr float kRounder = 0x1.8p23f + 127;
  __m256 v;
};
SBNN_INLINE Vec Load(const float* p) { return {_mm256_loadu_ps(p)}; }
SBNN_INLINE void Store(float* p, Vec a) { _mm256_storeu_ps(p, a.v); }
SBNN_INLINE Vec Set(float x) { return {_mm256_set1_ps(x)}; }
SBNN_INLINE Vec Fma(Vec a, Vec b, Vec c) { return {_mm256_fmadd_ps(a.v, b.v, c.v)}; }
SBNN_INLINE Vec Add(Vec a, Vec b) { return {_mm256_add_ps(a.v, b.v)}; }
SBNN_INLINE Vec Sub(Vec a, Vec b) { return {_mm256_sub_ps(a.v, b.v)}; }
SBNN_INLINE Vec Mul(Vec a, Vec b) { return {_mm256_mul_ps(a.v, b.v)}; }
SBNN_INLINE Vec Div(Vec a, Vec b) { return {_mm256_div_ps(a.v, b.v)}; }
SBNN_INLINE Vec PowerOfTwo(Vec t) {
  return {_mm256_castsi256_ps(_mm256_slli_epi32(_mm256_castps_si256(t.v), 23))};
}
SBNN_INLINE Vec Max(Vec a, Vec b) { return {_mm256_max_ps(a.v, b.v)}; }
SBNN_INLINE Vec Min(Vec a, Vec b) { return {_mm256_min_ps(a.v, b.v)}; }
SBNN_INLINE __m256i FirstLanes(int n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_set_epi32(7, 6, 5, 4, 3, 2, 1, 0));
}
SBNN_INLINE Vec LoadFirst(const float* p, int n) { return {_mm256_maskload_ps(p, FirstLanes(n))}; }
SBNN_INLINE void StoreFirst(float* p, Vec a, int n) { _mm256_maskstore_ps(p, FirstLanes(n), a.v); }
typedef __m256i Mask;
SBNN_INLINE Mask MaskOf(int first, int end) {
  const __m256i lane = _mm256_set_epi32(7, 6, 5, 4, 3, 2, 1, 0);
  return _mm256_andnot_si256(_mm256_cmpgt_epi32(_mm256_set1_epi32(first), lane),
                             _mm256_cmpgt_epi32(_mm256_set1_epi32(end), lane));
}
SBNN_INLINE Vec LoadMasked(const float* p, Mask m) { return {_mm256_maskload_ps(p, m)}; }
SBNN_INLINE Vec Blend(Mask m, Vec a, Vec b) {
  return {_mm256_blendv_ps(b.v, a.v, _mm256_castsi256_ps(m))};
}
SBNN_INLINE Vec LoadThirds(const float* p) {
  // The three vectors have their thirds in different lanes.
  __m256 v = _mm256_blend_ps(_mm256_loadu_ps(p), _mm256_loadu_ps(p + 7), 0x24);
  v = _mm256_blend_ps(v, _mm256_loadu_ps(p + 14), 0x92);
  return {_mm256_permutevar8x32_ps(v, _mm256_set_epi32(7, 4, 1, 5, 2, 6, 3, 0))};
}
SBNN_INLINE void Deinterleave(Vec a, Vec b, Vec* even, Vec* odd) {
  const __m256 e = _mm256_shuffle_ps(a.v, b.v, _MM_SHUFFLE(2, 0, 2, 0));
  const __m256 o = _mm256_shuffle_ps(a.v, b.v, _MM_SHUFFLE(3, 1, 3, 1));
  const int order = _MM_SHUFFLE(3, 1, 2, 0);
  even->v = _mm256_castpd_ps(_mm256_permute4x64_pd(_mm256_castps_pd(e), order));
  odd->v = _mm256_castpd_ps(_mm256_permute4x64_pd(_mm256_castps_pd(o), order));
}
template <int N>
SBNN_INLINE Vec Shifted(Vec a, Vec b) {
  const __m256i across = _mm256_castps_si256(_mm256_permute2f128_ps(a.v, b.v, 0x21));
  if constexpr (N == 4) return {_mm256_castsi256_ps(across)};
  return {_mm256_castsi256_ps(_mm256_alignr_epi8(across, _mm256_castps_si256(a.v), 4 * N % 16))};
}
SBNN_INLINE Vec Permute(Vec a, const int32_t* p, int first) {
  const __m256i lanes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  return {_mm256_permutevar8x32_ps(a.v, _mm256_sub_epi32(lanes, _mm256_set1_epi32(first)))};
}
SBNN_INLINE float AddLanes(Vec a) {
  __m128 s = _mm_add_ps(_mm256_castps256_ps128(a.v), _mm256_extractf128_ps(a.v, 1));
  s = _mm_add_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}

SBNN_INLINE Vec Keep(Vec a) {
  __asm__("" : "+x"(a.v));
  return a;
}
SBNN_INLINE Four FirstFour(Vec a) { return _mm256_castps256_ps128(a.v); }
typedef double TwoFloats __attribute__((may_alias, aligned(4)));
struct TwoSets {
  SBNN_INLINE explicit TwoSets(const float* p) {
    const __m256d two = _mm256_set1_pd(*reinterpret_cast<const TwoFloats*>(p));
    const __m256 both = Keep({_mm256_castpd_ps(two)}).v;
    of[0].v = _mm256_moveldup_ps(both);
    of[1].v = _mm256_movehdup_ps(both);
  }
  Vec of[2];
};
using WideVec = Vec;
SBNN_INLINE WideVec Widen(Vec a) { return a; }

}  // namespace SBNN_ISA
}  // namespace sbnn

#include "delegate/kernels/vec/broadcast.inl.h"

#endif  // SBNN_DELEGATE_KERNELS_VEC_AVX2_H_
