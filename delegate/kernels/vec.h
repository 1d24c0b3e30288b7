// A thin vector of floats: the one place where kernels meet an instruction set.
//
// Every kernel source includes this after its translation unit chose an ISA by compiler options and
// by defining SBNN_ISA (the namespace that keeps the copies apart). Nothing here or in the kernels
// may call an inline function of the standard library: the linker would be free to keep the copy
// that was compiled for a newer CPU.
#ifndef SBNN_DELEGATE_KERNELS_VEC_H_
#define SBNN_DELEGATE_KERNELS_VEC_H_

#include <cstddef>
#include <cstdint>

#ifndef SBNN_ISA
#error "define SBNN_ISA to avx512, avx2, neon or scalar before including vec.h"
#endif

#if defined(__AVX2__)
#include <immintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#endif

#define SBNN_INLINE inline __attribute__((always_inline))

namespace sbnn {
namespace SBNN_ISA {

// What the kernels compute in.
#if defined(SBNN_HALVES_ONLY)
using Element = float16_t;
#else
using Element = float;
#endif

SBNN_INLINE const Element* AsElements(const void* p) { return static_cast<const Element*>(p); }
SBNN_INLINE Element* AsElements(void* p) { return static_cast<Element*>(p); }

// N elements, in as many registers as the ISA needs for them, for what is a vector of outputs.
template <int N>
struct Elements {
  typedef Element Type __attribute__((vector_size(N * sizeof(Element))));
  typedef Type Unaligned __attribute__((aligned(sizeof(Element))));
};

// Adds N weights times x.
template <int N>
SBNN_INLINE void AddScaled(const Element* w, Element x, typename Elements<N>::Type* sum) {
  const auto& weights = *reinterpret_cast<const typename Elements<N>::Unaligned*>(w);
#if defined(SBNN_HALVES_ONLY)
  // The language makes a float of a half in arithmetic, but not of a vector of them.
  typename Elements<N>::Type spread;
#pragma GCC unroll 16
  for (int i = 0; i < N; ++i) spread[i] = x;
  if constexpr (N == 4) spread = vdup_n_f16(x);
  *sum += weights * spread;
#elif defined(__arm__) && !defined(SBNN_FORCE_SCALAR)
  // The compiler makes single numbers of vectors here, since NEON's arithmetic flushes denormals.
  if constexpr (N % 4 == 0) {
    float32x4_t parts[N / 4];
    __builtin_memcpy(parts, sum, sizeof(parts));
    for (int i = 0; i < N / 4; ++i) parts[i] = vmlaq_n_f32(parts[i], vld1q_f32(w + 4 * i), x);
    __builtin_memcpy(sum, parts, sizeof(parts));
  } else {
    *sum += weights * x;
  }
#else
  *sum += weights * x;
#endif
}

using Four = Elements<4>::Type;
using UnalignedFour = Elements<4>::Unaligned;

// Adds four weights times four x.
SBNN_INLINE void AddProducts(const Element* w, Four x, Four* sum) {
#if defined(__arm__) && !defined(SBNN_FORCE_SCALAR)
  *sum = reinterpret_cast<Four>(vfmaq_f32(reinterpret_cast<float32x4_t>(*sum), vld1q_f32(w),
                                          reinterpret_cast<float32x4_t>(x)));
#else
  *sum += *reinterpret_cast<const UnalignedFour*>(w) * x;
#endif
}

#if defined(__AVX512F__) || defined(__aarch64__)
constexpr int kRegisters = 32;
#else
constexpr int kRegisters = 16;
#endif

// Whether one operand of an FMA may be in memory.
#if defined(__AVX2__)
constexpr bool kMemoryOperands = true;
#else
constexpr bool kMemoryOperands = false;
#endif

// NaN stays NaN.
SBNN_INLINE float ClampOne(float value, float lo, float hi) {
  value = value < lo ? lo : value;
  return value > hi ? hi : value;
}

// The same pointer or integer, of which the compiler knows nothing: it would compute many addresses
// ahead, and keep them on the stack.
template <typename T>
SBNN_INLINE T Hide(T p) {
  __asm__("" : "+r"(p));
  return p;
}

#if defined(SBNN_FORCE_SCALAR)

struct Vec {
  static constexpr int kLanes = 4;  // as wide as NEON, so that tiles are exercised alike
  // Shifting two vectors together rather than loading what lies between them.
  static constexpr bool kShiftsCostLess = false;
  static constexpr bool kExactThirds = true;
  // Vectors of a row that a depthwise convolution computes together.
  static constexpr int kSideBySide = 1;
  // See PowerOfTwo.
  static constexpr int kStepsOfTwo = 1;
  static constexpr float kRounder = 0x1.8p23f + 127;
  float v[kLanes];
};
#define SBNN_EACH for (int i = 0; i < Vec::kLanes; ++i)
SBNN_INLINE Vec Load(const float* p) {
  Vec r;
  SBNN_EACH r.v[i] = p[i];
  return r;
}
SBNN_INLINE void Store(float* p, Vec a) { SBNN_EACH p[i] = a.v[i]; }
SBNN_INLINE Vec Set(float x) {
  Vec r;
  SBNN_EACH r.v[i] = x;
  return r;
}
SBNN_INLINE Vec Fma(Vec a, Vec b, Vec c) {
  SBNN_EACH c.v[i] += a.v[i] * b.v[i];
  return c;
}
SBNN_INLINE Vec Add(Vec a, Vec b) {
  SBNN_EACH a.v[i] += b.v[i];
  return a;
}
SBNN_INLINE Vec Sub(Vec a, Vec b) {
  SBNN_EACH a.v[i] -= b.v[i];
  return a;
}
SBNN_INLINE Vec Mul(Vec a, Vec b) {
  SBNN_EACH a.v[i] *= b.v[i];
  return a;
}
SBNN_INLINE Vec Div(Vec a, Vec b) {
  SBNN_EACH a.v[i] /= b.v[i];
  return a;
}
// Of t = n + kRounder, for n in [-126, 127): 2^n. Adding kRounder rounds n to steps of
// 1 / kStepsOfTwo, which count in the last bits of t.
SBNN_INLINE Vec PowerOfTwo(Vec t) {
  SBNN_EACH {
    uint32_t bits;
    __builtin_memcpy(&bits, &t.v[i], sizeof(bits));
    bits <<= 23;
    __builtin_memcpy(&t.v[i], &bits, sizeof(bits));
  }
  return t;
}
// Of NaN and a number, x86 returns the second: bounds are named first, so that NaN stays NaN.
SBNN_INLINE Vec Max(Vec a, Vec b) {
  SBNN_EACH a.v[i] = a.v[i] > b.v[i] ? a.v[i] : b.v[i];
  return a;
}
SBNN_INLINE Vec Min(Vec a, Vec b) {
  SBNN_EACH a.v[i] = a.v[i] < b.v[i] ? a.v[i] : b.v[i];
  return a;
}
// LoadFirst and StoreFirst touch the first n lanes only, 0 < n < kLanes; the others load as zero.
SBNN_INLINE Vec LoadFirst(const float* p, int n) {
  Vec r;
  SBNN_EACH r.v[i] = i < n ? p[i] : 0.0f;
  return r;
}
SBNN_INLINE void StoreFirst(float* p, Vec a, int n) { SBNN_EACH if (i < n) p[i] = a.v[i]; }
// Every third float, kLanes of them; nothing behind the last is read where kExactThirds says so.
SBNN_INLINE Vec LoadThirds(const float* p) {
  Vec r;
  SBNN_EACH r.v[i] = p[3 * i];
  return r;
}
SBNN_INLINE void Deinterleave(Vec a, Vec b, Vec* even, Vec* odd) {
  constexpr int kHalf = Vec::kLanes / 2;
  SBNN_EACH {
    const Vec& from = i < kHalf ? a : b;
    even->v[i] = from.v[2 * (i % kHalf)];
    odd->v[i] = from.v[2 * (i % kHalf) + 1];
  }
}
// Lanes N and up of a, then the first N of b; N <= 4.
template <int N>
SBNN_INLINE Vec Shifted(Vec a, Vec b) {
  Vec r;
  SBNN_EACH r.v[i] = i + N < Vec::kLanes ? a.v[i + N] : b.v[i + N - Vec::kLanes];
  return r;
}
struct Mask {
  int first, end;
};
SBNN_INLINE Mask MaskOf(int first, int end) { return {first, end}; }
// Lanes first <= i < end of p, the others zero. p may be read one vector around a plane.
SBNN_INLINE Vec LoadMasked(const float* p, Mask m) {
  Vec r;
  SBNN_EACH r.v[i] = i >= m.first && i < m.end ? p[i] : 0.0f;
  return r;
}
SBNN_INLINE Vec Masked(Vec a, Mask m) {
  SBNN_EACH if (i < m.first || i >= m.end) a.v[i] = 0;
  return a;
}
SBNN_INLINE float AddLanes(Vec a) {
  float s = 0;
  SBNN_EACH s += a.v[i];
  return s;
}
SBNN_INLINE Vec Keep(Vec a) { return a; }
SBNN_INLINE Four FirstFour(Vec a) { return Four{a.v[0], a.v[1], a.v[2], a.v[3]}; }
#undef SBNN_EACH

#elif defined(__AVX512F__)

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
#define SBNN_HALVES
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
SBNN_INLINE float AddLanes(Vec a) { return _mm512_reduce_add_ps(a.v); }
// Where the compiler would rather load it again for each use.
SBNN_INLINE Vec Keep(Vec a) {
  __asm__("" : "+v"(a.v));
  return a;
}
SBNN_INLINE Four FirstFour(Vec a) { return _mm512_castps512_ps128(a.v); }
typedef double TwoFloats __attribute__((may_alias, aligned(4)));
// Two floats in a row, each in all lanes of a vector, with one load.
struct TwoSets {
  SBNN_INLINE explicit TwoSets(const float* p) {
    const __m512d two = _mm512_set1_pd(*reinterpret_cast<const TwoFloats*>(p));
    const __m512 both = Keep({_mm512_castpd_ps(two)}).v;
    of[0].v = _mm512_moveldup_ps(both);
    of[1].v = _mm512_movehdup_ps(both);
  }
  Vec of[2];
};

#elif defined(__AVX2__)

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

#elif defined(SBNN_HALVES_ONLY)

struct Vec {
  static constexpr int kLanes = 8;
  static constexpr bool kShiftsCostLess = false;
  static constexpr bool kExactThirds = false;
  static constexpr int kSideBySide = 1;
  float16x8_t v;
};
SBNN_INLINE Vec Load(const Element* p) { return {vld1q_f16(p)}; }
SBNN_INLINE void Store(Element* p, Vec a) { vst1q_f16(p, a.v); }
SBNN_INLINE Vec Set(Element x) { return {vdupq_n_f16(x)}; }
SBNN_INLINE Vec Fma(Vec a, Vec b, Vec c) { return {vfmaq_f16(c.v, a.v, b.v)}; }
SBNN_INLINE Vec Add(Vec a, Vec b) { return {vaddq_f16(a.v, b.v)}; }
SBNN_INLINE Vec Sub(Vec a, Vec b) { return {vsubq_f16(a.v, b.v)}; }
SBNN_INLINE Vec Mul(Vec a, Vec b) { return {vmulq_f16(a.v, b.v)}; }
SBNN_INLINE Vec Div(Vec a, Vec b) { return {vdivq_f16(a.v, b.v)}; }
SBNN_INLINE Vec Max(Vec a, Vec b) { return {vmaxq_f16(a.v, b.v)}; }
SBNN_INLINE Vec Min(Vec a, Vec b) { return {vminq_f16(a.v, b.v)}; }
SBNN_INLINE Vec LoadFirst(const Element* p, int n) {
  Element t[8] = {0, 0, 0, 0, 0, 0, 0, 0};
  for (int i = 0; i < n && i < 8; ++i) t[i] = p[i];
  return {vld1q_f16(t)};
}
SBNN_INLINE void StoreFirst(Element* p, Vec a, int n) {
  Element t[8];
  vst1q_f16(t, a.v);
  for (int i = 0; i < n && i < 8; ++i) p[i] = t[i];
}
typedef uint16x8_t Mask;
SBNN_INLINE Mask MaskOf(int first, int end) {
  const int16_t lanes[8] = {0, 1, 2, 3, 4, 5, 6, 7};
  const int16x8_t lane = vld1q_s16(lanes);
  // (Bounds may be too large for 16 bits.)
  first = first < 0 ? 0 : first > 8 ? 8 : first;
  end = end < 0 ? 0 : end > 8 ? 8 : end;
  return vandq_u16(vcgeq_s16(lane, vdupq_n_s16(static_cast<int16_t>(first))),
                   vcltq_s16(lane, vdupq_n_s16(static_cast<int16_t>(end))));
}
SBNN_INLINE Vec LoadMasked(const Element* p, Mask m) {
  return {vreinterpretq_f16_u16(vandq_u16(vreinterpretq_u16_f16(vld1q_f16(p)), m))};
}
SBNN_INLINE Vec LoadThirds(const Element* p) { return {vld3q_f16(p).val[0]}; }
SBNN_INLINE void Deinterleave(Vec a, Vec b, Vec* even, Vec* odd) {
  even->v = vuzp1q_f16(a.v, b.v);
  odd->v = vuzp2q_f16(a.v, b.v);
}
template <int N>
SBNN_INLINE Vec Shifted(Vec a, Vec b) {
  return {vextq_f16(a.v, b.v, N)};
}
SBNN_INLINE Vec FmaScalar(Vec a, Element b, Vec c) { return {vfmaq_n_f16(c.v, a.v, b)}; }
// A weight in its register. GCC 12 would copy it into a register of its own before each FMA.
template <typename Register>
struct Lane {
  Register v;
  int i;
};
template <typename Register>
SBNN_INLINE Vec FmaScalar(Vec a, Lane<Register> b, Vec c) {
#define SBNN_FMA_LANE(i)                                                         \
  case i:                                                                        \
    __asm__("fmla %0.8h, %1.8h, %2.h[" #i "]" : "+w"(c.v) : "w"(a.v), "x"(b.v)); \
    break;
  switch (b.i) {
    SBNN_FMA_LANE(0)
    SBNN_FMA_LANE(1)
    SBNN_FMA_LANE(2)
    SBNN_FMA_LANE(3)
    SBNN_FMA_LANE(4)
    SBNN_FMA_LANE(5)
    SBNN_FMA_LANE(6)
    SBNN_FMA_LANE(7)
  }
#undef SBNN_FMA_LANE
  return c;
}
template <typename Register>
SBNN_INLINE Vec Set(Lane<Register> a) {
  return Set(a.v[a.i]);
}
template <int N>
struct Scalars {
  SBNN_INLINE explicit Scalars(const Element* p) : p(p) {}
  SBNN_INLINE Element operator[](int i) const { return p[i]; }
  const Element* p;
};
template <>
struct Scalars<2> {
  SBNN_INLINE explicit Scalars(const Element* p) {
    uint32_t both;
    __builtin_memcpy(&both, p, sizeof(both));
    v = vcreate_f16(both);
  }
  SBNN_INLINE Lane<float16x4_t> operator[](int i) const { return {v, i}; }
  float16x4_t v;
};
template <>
struct Scalars<4> {
  SBNN_INLINE explicit Scalars(const Element* p) : v(vld1_f16(p)) {}
  SBNN_INLINE Lane<float16x4_t> operator[](int i) const { return {v, i}; }
  float16x4_t v;
};
template <>
struct Scalars<8> {
  SBNN_INLINE explicit Scalars(const Element* p) : v(vld1q_f16(p)) {}
  SBNN_INLINE Lane<float16x8_t> operator[](int i) const { return {v, i}; }
  float16x8_t v;
};
struct WideVec {
  float32x4_t low, high;
};
SBNN_INLINE WideVec Widen(Vec a) {
  return {vcvt_f32_f16(vget_low_f16(a.v)), vcvt_high_f32_f16(a.v)};
}
SBNN_INLINE Vec Narrow(WideVec a) {
  return {vcombine_f16(vcvt_f16_f32(a.low), vcvt_f16_f32(a.high))};
}
SBNN_INLINE WideVec LoadWide(const float* p) { return {vld1q_f32(p), vld1q_f32(p + 4)}; }
SBNN_INLINE void StoreWide(float* p, WideVec a) {
  vst1q_f32(p, a.low);
  vst1q_f32(p + 4, a.high);
}
SBNN_INLINE WideVec Add(WideVec a, WideVec b) {
  return {vaddq_f32(a.low, b.low), vaddq_f32(a.high, b.high)};
}
SBNN_INLINE float AddLanes(WideVec a) { return vaddvq_f32(vaddq_f32(a.low, a.high)); }
SBNN_INLINE float AddLanes(Vec a) { return AddLanes(Widen(a)); }
SBNN_INLINE Vec Keep(Vec a) {
  __asm__("" : "+w"(a.v));
  return a;
}
SBNN_INLINE Four FirstFour(Vec a) { return reinterpret_cast<Four>(vget_low_f16(a.v)); }

#elif defined(__ARM_NEON)

struct Vec {
  static constexpr int kLanes = 4;
  static constexpr bool kShiftsCostLess = false;
  static constexpr bool kExactThirds = false;
  static constexpr int kSideBySide = kRegisters == 32 ? 2 : 1;
  static constexpr int kStepsOfTwo = 1;
  static constexpr float kRounder = 0x1.8p23f + 127;
  float32x4_t v;
};
SBNN_INLINE Vec Load(const float* p) { return {vld1q_f32(p)}; }
SBNN_INLINE void Store(float* p, Vec a) { vst1q_f32(p, a.v); }
SBNN_INLINE Vec Set(float x) { return {vdupq_n_f32(x)}; }
SBNN_INLINE Vec Fma(Vec a, Vec b, Vec c) { return {vfmaq_f32(c.v, a.v, b.v)}; }
SBNN_INLINE Vec Add(Vec a, Vec b) { return {vaddq_f32(a.v, b.v)}; }
SBNN_INLINE Vec Sub(Vec a, Vec b) { return {vsubq_f32(a.v, b.v)}; }
SBNN_INLINE Vec Mul(Vec a, Vec b) { return {vmulq_f32(a.v, b.v)}; }
#if defined(__aarch64__)
SBNN_INLINE Vec Div(Vec a, Vec b) { return {vdivq_f32(a.v, b.v)}; }
#else
SBNN_INLINE Vec Div(Vec a, Vec b) { return {a.v / b.v}; }  // one by one
#endif
SBNN_INLINE Vec PowerOfTwo(Vec t) {
  return {vreinterpretq_f32_u32(vshlq_n_u32(vreinterpretq_u32_f32(t.v), 23))};
}
SBNN_INLINE Vec Max(Vec a, Vec b) { return {vmaxq_f32(a.v, b.v)}; }
SBNN_INLINE Vec Min(Vec a, Vec b) { return {vminq_f32(a.v, b.v)}; }
SBNN_INLINE Vec LoadFirst(const float* p, int n) {
  float t[4] = {0, 0, 0, 0};
  for (int i = 0; i < n && i < 4; ++i) t[i] = p[i];
  return {vld1q_f32(t)};
}
SBNN_INLINE void StoreFirst(float* p, Vec a, int n) {
  float32x2_t half = vget_low_f32(a.v);
  if (n & 2) {
    vst1_f32(p, half);
    half = vget_high_f32(a.v);
    p += 2;
  }
  if (n & 1) vst1_lane_f32(p, half, 0);
}
typedef uint32x4_t Mask;
SBNN_INLINE Mask MaskOf(int first, int end) {
  const int32_t lanes[4] = {0, 1, 2, 3};
  const int32x4_t lane = vld1q_s32(lanes);
  return vandq_u32(vcgeq_s32(lane, vdupq_n_s32(first)), vcltq_s32(lane, vdupq_n_s32(end)));
}
SBNN_INLINE Vec Masked(Vec a, Mask m) {
  return {vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_f32(a.v), m))};
}
SBNN_INLINE Vec LoadMasked(const float* p, Mask m) { return Masked(Load(p), m); }
SBNN_INLINE Vec LoadThirds(const float* p) { return {vld3q_f32(p).val[0]}; }
SBNN_INLINE void Deinterleave(Vec a, Vec b, Vec* even, Vec* odd) {
  const float32x4x2_t both = vuzpq_f32(a.v, b.v);
  even->v = both.val[0];
  odd->v = both.val[1];
}
template <int N>
SBNN_INLINE Vec Shifted(Vec a, Vec b) {
  if constexpr (N == 4) return b;
  return {vextq_f32(a.v, b.v, N % 4)};
}
#if defined(__aarch64__)
SBNN_INLINE Vec FmaScalar(Vec a, float b, Vec c) { return {vfmaq_n_f32(c.v, a.v, b)}; }
// One load brings four, and each is a lane that the FMA picks. (Loaded one by one they take a
// register each, and the accumulators of the widest tiles are spilt.)
template <int N>
struct Scalars {
  SBNN_INLINE explicit Scalars(const float* p) : p(p) {
#pragma GCC unroll 6
    for (int i = 0; i < N / 4; ++i) fours[i] = vld1q_f32(p + 4 * i);
    if constexpr (kLoaded > N / 4 * 4) fours[N / 4] = vld1q_dup_f32(p + N - 1);
  }
  SBNN_INLINE float operator[](int i) const { return i < kLoaded ? fours[i / 4][i % 4] : p[i]; }
  // A last one behind fours takes a register of its own.
  static constexpr int kLoaded = N > 4 && N % 4 == 1 ? N : N / 4 * 4;
  const float* p;
  float32x4_t fours[N / 4 + 1];
};
template <>
struct Scalars<2> {
  SBNN_INLINE explicit Scalars(const float* p) : two(vld1_f32(p)) { __asm__("" : "+w"(two)); }
  SBNN_INLINE float operator[](int i) const { return two[i]; }
  float32x2_t two;
};
SBNN_INLINE float AddLanes(Vec a) { return vaddvq_f32(a.v); }
#else
// A multiplication by one lane is never fused with the addition here: it rounds twice.
SBNN_INLINE Vec FmaScalar(Vec a, float b, Vec c) { return {vmlaq_n_f32(c.v, a.v, b)}; }
struct Lane {
  float32x4_t v;
  int i;
};
SBNN_INLINE Vec FmaScalar(Vec a, Lane b, Vec c) {
  switch (b.i) {
    case 0:
      return {vmlaq_lane_f32(c.v, a.v, vget_low_f32(b.v), 0)};
    case 1:
      return {vmlaq_lane_f32(c.v, a.v, vget_low_f32(b.v), 1)};
    case 2:
      return {vmlaq_lane_f32(c.v, a.v, vget_high_f32(b.v), 0)};
    default:
      return {vmlaq_lane_f32(c.v, a.v, vget_high_f32(b.v), 1)};
  }
}
template <int N>
struct Scalars {
  SBNN_INLINE explicit Scalars(const float* p) : p(p) {}
  SBNN_INLINE float operator[](int i) const { return p[i]; }
  const float* p;
};
template <>
struct Scalars<4> {
  SBNN_INLINE explicit Scalars(const float* p) : v(vld1q_f32(p)) {}
  SBNN_INLINE Lane operator[](int i) const { return {v, i}; }
  float32x4_t v;
};
template <>
struct Scalars<8> {
  SBNN_INLINE explicit Scalars(const float* p) : low(vld1q_f32(p)), high(vld1q_f32(p + 4)) {}
  SBNN_INLINE Lane operator[](int i) const { return i < 4 ? Lane{low, i} : Lane{high, i - 4}; }
  float32x4_t low, high;
};
SBNN_INLINE float AddLanes(Vec a) {
  const float32x2_t pairs = vadd_f32(vget_low_f32(a.v), vget_high_f32(a.v));
  return vget_lane_f32(vpadd_f32(pairs, pairs), 0);
}
#endif
SBNN_INLINE Vec Keep(Vec a) {
  __asm__("" : "+w"(a.v));
  return a;
}
SBNN_INLINE Four FirstFour(Vec a) { return reinterpret_cast<Four>(a.v); }

#endif

#if defined(SBNN_FORCE_SCALAR) || !defined(__ARM_NEON)
// On x86 the compiler keeps Set(b) in a register where it serves several FMAs; NEON multiplies by
// one lane instead.
SBNN_INLINE Vec FmaScalar(Vec a, float b, Vec c) { return Fma(a, Set(b), c); }
// N floats in a row that vectors are multiplied by.
template <int N>
struct Scalars {
  SBNN_INLINE explicit Scalars(const float* p) : p(p) {}
  SBNN_INLINE float operator[](int i) const { return p[i]; }
  const float* p;
};
#endif

#if !defined(SBNN_HALVES_ONLY)
// What sums of many elements are kept in.
using WideVec = Vec;
SBNN_INLINE WideVec Widen(Vec a) { return a; }
#endif

// G outputs of one pixel, in pieces that fit a register.
template <int G>
struct Outputs {
  static constexpr int kPiece = G < Vec::kLanes ? G : Vec::kLanes;
  using Piece = typename Elements<kPiece>::Type;
  using Unaligned = typename Elements<kPiece>::Unaligned;

  SBNN_INLINE void Set(const Element* p) {
#pragma GCC unroll 2
    for (int q = 0; q < G / kPiece; ++q) {
      pieces[q] = *reinterpret_cast<const Unaligned*>(p + q * kPiece);
    }
  }
  SBNN_INLINE void AddScaled(const Element* w, Element x) {
#pragma GCC unroll 2
    for (int q = 0; q < G / kPiece; ++q) {
      SBNN_ISA::AddScaled<kPiece>(w + q * kPiece, x, &pieces[q]);
    }
  }
  SBNN_INLINE void Add(const Outputs& o) {
#pragma GCC unroll 2
    for (int q = 0; q < G / kPiece; ++q) pieces[q] += o.pieces[q];
  }
  SBNN_INLINE void Add(int i, Element x) { pieces[i / kPiece][i % kPiece] += x; }
  SBNN_INLINE Element operator[](int i) const { return pieces[i / kPiece][i % kPiece]; }

  Piece pieces[G / kPiece];
};

#if defined(SBNN_FORCE_SCALAR) || !defined(__AVX2__)
struct TwoSets {
  SBNN_INLINE explicit TwoSets(const Element* p) : of{Set(p[0]), Set(p[1])} {}
  Vec of[2];
};
#endif

}  // namespace SBNN_ISA
}  // namespace sbnn

#endif  // SBNN_DELEGATE_KERNELS_VEC_H_
