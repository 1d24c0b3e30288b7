// Vectors of 8 16-bit floats: NEON with the arithmetic of Armv8.2 FP16.
#ifndef SBNN_DELEGATE_KERNELS_VEC_NEON_FP16_H_
#define SBNN_DELEGATE_KERNELS_VEC_NEON_FP16_H_

#define SBNN_ISA neon_fp16
#define SBNN_ISA_NAME "neon_fp16"
#define SBNN_ELEMENT float16_t
#define SBNN_FP16

#include <arm_neon.h>

#include "delegate/kernels/vec/begin.inl.h"

namespace sbnn {
namespace SBNN_ISA {

constexpr int kRegisters = 32;
constexpr bool kMemoryOperands = false;

// The language makes a float of a float16_t in arithmetic, but not of a vector of them.
template <int N>
SBNN_INLINE void AddScaled(const Element* w, Element x, typename Elements<N>::Type* sum) {
  const auto& weights = *reinterpret_cast<const typename Elements<N>::Unaligned*>(w);
  typename Elements<N>::Type spread;
#pragma GCC unroll 16
  for (int i = 0; i < N; ++i) spread[i] = x;
  if constexpr (N == 4) spread = vdup_n_f16(x);
  *sum += weights * spread;
}
SBNN_INLINE void AddProducts(const Element* w, Four x, Four* sum) {
  *sum += *reinterpret_cast<const UnalignedFour*>(w) * x;
}

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
SBNN_INLINE Vec Blend(Mask m, Vec a, Vec b) { return {vbslq_f16(m, a.v, b.v)}; }
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
// A weight in its register.
template <typename Register>
struct Lane {
  Register v;
  int i;
};
template <typename Register>
SBNN_INLINE Vec FmaScalar(Vec a, Lane<Register> b, Vec c) {
#if defined(__clang__)
  return Fma(a, Set(b.v[b.i]), c);
#else  // GCC 12 would copy the weight into a register of its own before each FMA.
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
#endif
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

}  // namespace SBNN_ISA
}  // namespace sbnn

#include "delegate/kernels/vec/two_sets.inl.h"

#endif  // SBNN_DELEGATE_KERNELS_VEC_NEON_FP16_H_
