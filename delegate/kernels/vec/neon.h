// Vectors of 4 floats: NEON of 64 bits (aarch64), or of 32 with VFPv4.
#ifndef SBNN_DELEGATE_KERNELS_VEC_NEON_H_
#define SBNN_DELEGATE_KERNELS_VEC_NEON_H_

#define SBNN_ISA neon
#define SBNN_ISA_NAME "neon"
#define SBNN_ELEMENT float

#include <arm_neon.h>

#include "delegate/kernels/vec/begin.inl.h"

namespace sbnn {
namespace SBNN_ISA {

#if defined(__aarch64__)
constexpr int kRegisters = 32;
#else
constexpr int kRegisters = 16;
#endif
constexpr bool kMemoryOperands = false;

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
SBNN_INLINE Vec Blend(Mask m, Vec a, Vec b) { return {vbslq_f32(m, a.v, b.v)}; }
#define SBNN_MASKED
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
// The bytes of those lanes.
SBNN_INLINE uint8x16_t BytesOf(const int32_t* p, int first) {
  const int32x4_t lanes = vsubq_s32(vld1q_s32(p), vdupq_n_s32(first));
  const int32x4_t bytes = vmlaq_n_s32(vdupq_n_s32(0x03020100), lanes, 0x04040404);
  return vreinterpretq_u8_s32(bytes);
}
SBNN_INLINE Vec Keep(Vec a) {
  __asm__("" : "+w"(a.v));
  return a;
}
SBNN_INLINE Four FirstFour(Vec a) { return reinterpret_cast<Four>(a.v); }
using WideVec = Vec;
SBNN_INLINE WideVec Widen(Vec a) { return a; }

}  // namespace SBNN_ISA
}  // namespace sbnn

#include "delegate/kernels/vec/two_sets.inl.h"

#if defined(__aarch64__)
#include "delegate/kernels/vec/compiler_sums.inl.h"
#include "delegate/kernels/vec/neon64.inl.h"
#else
#include "delegate/kernels/vec/neon32.inl.h"
#endif

#endif  // SBNN_DELEGATE_KERNELS_VEC_NEON_H_
