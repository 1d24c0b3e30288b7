// Vectors of 128 bits: NEON of 32 or 64 bits, with or without the products of four (SDOT).
#ifndef SBNN_DELEGATE_KERNELS_INT8_VEC_NEON_H_
#define SBNN_DELEGATE_KERNELS_INT8_VEC_NEON_H_

#define SBNN_INPUT_OFFSET 0
#if defined(__aarch64__)
#define SBNN_REGISTERS 32
#else
#define SBNN_REGISTERS 16
#endif

#define SBNN_NEON
#include <arm_neon.h>

#include "delegate/kernels/int8/vec/begin.inl.h"

namespace sbnn {
namespace int8 {
namespace SBNN_ISA {

struct V128 {
  static constexpr int kLanes = 4;
  using Bytes = int8x16_t;
  using Quads = int8x16_t;
  using Weights = int8x16_t;
#if defined(SBNN_DOT)
  static constexpr int kSumRegisters = 1;
  using Sums = int32x4_t;
#else
  static constexpr int kSumRegisters = 2;
  // Of each lane two halves, which Total adds up: lanes 0 and 1, then 2 and 3.
  struct Sums {
    int32x4_t low, high;
  };
#endif
  using Ints = int32x4_t;
  using Floats = float32x4_t;

  struct Output {
    template <typename R>
    SBNN_INLINE explicit Output(const R& to)
        : most(vdupq_n_f32(static_cast<float>(to.hi - to.zero_point))),
          least(vdupq_n_f32(static_cast<float>(to.lo - to.zero_point))),
          zero_point(vdupq_n_s16(static_cast<int16_t>(to.zero_point))) {}
    float32x4_t most, least;
    int16x8_t zero_point;
  };

  static SBNN_INLINE Bytes Load(const void* p) { return vld1q_s8(static_cast<const int8_t*>(p)); }
  static SBNN_INLINE Bytes LoadOne(const int8_t* p) { return Broadcast(p); }
  static SBNN_INLINE Bytes Fill(int8_t x) { return vdupq_n_s8(x); }
  static SBNN_INLINE Bytes SpreadQuads(const int8_t* p, const uint16_t* i) {
    return LoadOne(p + 4 * i[0]);
  }
  static SBNN_INLINE Weights LoadWeights(const int8_t* w) { return Repeat(w); }
  static SBNN_INLINE Sums AddQuarters(Sums sums) { return sums; }
#if defined(__aarch64__)
  struct Part {
    SBNN_INLINE Part(int first, int end) : first(first) {
      // Where each byte comes from: out of reach of the table, `fill` stays.
      constexpr int8_t kOut = -1;
      alignas(16) static constexpr int8_t kPlaces[32] = {
          kOut, kOut, kOut, kOut, kOut, kOut, kOut, kOut, kOut, kOut, kOut,
          kOut, kOut, kOut, kOut, kOut, 0,    1,    2,    3,    4,    5,
          6,    7,    8,    9,    10,   11,   12,   13,   14,   15};
      const int8x16_t of_end = vdupq_n_s8(static_cast<int8_t>(end < 4 ? 4 * end : 16));
      places = vorrq_u8(vreinterpretq_u8_s8(vld1q_s8(kPlaces + 16 - 4 * first)),
                        vcgeq_s8(vld1q_s8(kPlaces + 16), of_end));
    }
    int first;
    uint8x16_t places;
  };
  static SBNN_INLINE Bytes LoadPart(const int8_t* p, const Part& part, Bytes fill) {
    return vqtbx1q_s8(fill, vld1q_s8(p + 4 * part.first), part.places);
  }
#else
  struct Part {
    SBNN_INLINE Part(int first, int end) : first(first) {
      const int32_t lanes[4] = {0, 1, 2, 3};
      const int32x4_t lane = vld1q_s32(lanes);
      mask = vreinterpretq_u8_u32(
          vandq_u32(vcgeq_s32(lane, vdupq_n_s32(first)), vcltq_s32(lane, vdupq_n_s32(end))));
    }
    int first;
    uint8x16_t mask;
  };
  static SBNN_INLINE Bytes LoadPart(const int8_t* p, const Part& part, Bytes fill) {
    Bytes v = vld1q_s8(p + 4 * part.first);
    for (int i = 0; i < part.first; ++i) v = vextq_s8(v, v, 12);
    return vbslq_s8(part.mask, v, fill);
  }
#endif
  static SBNN_INLINE Bytes LoadColumns(const int8_t* const (&p)[4]) {
    int32x4_t v = vdupq_n_s32(LoadFourBytes(p[0]));
    v = vsetq_lane_s32(LoadFourBytes(p[1]), v, 1);
    v = vsetq_lane_s32(LoadFourBytes(p[2]), v, 2);
    v = vsetq_lane_s32(LoadFourBytes(p[3]), v, 3);
    return Turn(vreinterpretq_s8_s32(v));
  }
  template <int kHalf>
  static SBNN_INLINE void Interleave(const Bytes (&b)[4], Bytes (&v)[4]) {
    const int16x8_t ab = vreinterpretq_s16_s8(vzipq_s8(b[0], b[1]).val[kHalf]);
    const int16x8_t cd = vreinterpretq_s16_s8(vzipq_s8(b[2], b[3]).val[kHalf]);
    const int16x8x2_t both = vzipq_s16(ab, cd);
    v[2 * kHalf] = vreinterpretq_s8_s16(both.val[0]);
    v[2 * kHalf + 1] = vreinterpretq_s8_s16(both.val[1]);
  }
  static SBNN_INLINE Bytes NextQuarter(Bytes, Bytes b) { return b; }
  static SBNN_INLINE Quads Prepare(Bytes v) { return v; }
  static SBNN_INLINE Quads LoadQuads(const int8_t* p) { return Load(p); }
  static SBNN_INLINE Weights Broadcast(const int8_t* w) {
    return vreinterpretq_s8_s32(vdupq_n_s32(LoadFourBytes(w)));
  }
  static SBNN_INLINE Weights Repeat(const int8_t* w) { return vld1q_s8(w); }

#if defined(SBNN_DOT)
  static SBNN_INLINE Sums Set(int32_t x) { return vdupq_n_s32(x); }
  static SBNN_INLINE Sums SetFour(const int32_t* p) { return vld1q_s32(p); }
  static SBNN_INLINE void Dot(Sums& sums, Quads x, Weights w) { sums = vdotq_s32(sums, x, w); }
  static SBNN_INLINE Sums Add(Sums a, Sums b) { return vaddq_s32(a, b); }
  static SBNN_INLINE int32x4_t Total(Sums sums) { return sums; }
#else
  static SBNN_INLINE Sums Set(int32_t x) {
    const int32x4_t v = vsetq_lane_s32(x, vsetq_lane_s32(x, vdupq_n_s32(0), 0), 2);
    return {v, v};
  }
  static SBNN_INLINE Sums SetFour(const int32_t* p) {
    const int32x4x2_t v = vzipq_s32(vld1q_s32(p), vdupq_n_s32(0));
    return {v.val[0], v.val[1]};
  }
  static SBNN_INLINE void Dot(Sums& sums, Quads x, Weights w) {
    sums.low = vpadalq_s16(sums.low, vmull_s8(vget_low_s8(x), vget_low_s8(w)));
    sums.high = vpadalq_s16(sums.high, vmull_s8(vget_high_s8(x), vget_high_s8(w)));
  }
  static SBNN_INLINE Sums Add(Sums a, Sums b) {
    return {vaddq_s32(a.low, b.low), vaddq_s32(a.high, b.high)};
  }
  static SBNN_INLINE int32x4_t Total(Sums sums) {
#if defined(__aarch64__)
    return vpaddq_s32(sums.low, sums.high);
#else
    return vcombine_s32(vpadd_s32(vget_low_s32(sums.low), vget_high_s32(sums.low)),
                        vpadd_s32(vget_low_s32(sums.high), vget_high_s32(sums.high)));
#endif
  }
#endif

  static SBNN_INLINE Ints SetInts(int32_t x) { return vdupq_n_s32(x); }
  static SBNN_INLINE Ints LoadInts(const int32_t* p) { return vld1q_s32(p); }
  static SBNN_INLINE Floats LoadFloats(const float* p) { return vld1q_f32(p); }
  static SBNN_INLINE Ints LessProduct(Ints a, Ints b, Ints c) { return vmlsq_s32(a, b, c); }
  static SBNN_INLINE Floats Scale(Ints sums, Floats a, Floats b, Floats c) {
    return vfmaq_f32(c, vmulq_f32(vcvtq_f32_s32(sums), a), b);
  }
  static SBNN_INLINE Floats Min(Floats a, Floats b) { return vminq_f32(a, b); }
  static SBNN_INLINE Floats Max(Floats a, Floats b) { return vmaxq_f32(a, b); }
  static SBNN_INLINE void StoreFloats(float* p, Floats y) { vst1q_f32(p, y); }
  static SBNN_INLINE Floats SetScale(float x) { return vdupq_n_f32(x); }
  static SBNN_INLINE Floats SetFourScales(const float* p) { return vld1q_f32(p); }
  static SBNN_INLINE Ints Requantize(Sums sums, Floats scale, const Output& out) {
    const float32x4_t product = vmulq_f32(vcvtq_f32_s32(Total(sums)), scale);
    const float32x4_t v = vmaxq_f32(vminq_f32(product, out.most), out.least);
    // Limited, a number has so few bits that adding 1.5 * 2^23 rounds it: with less work than a
    // conversion. Pack takes the lower half, of which that is no part.
    return vreinterpretq_s32_f32(vaddq_f32(v, vdupq_n_f32(0x1.8p23f)));
  }
  static SBNN_INLINE Bytes Pack(Ints a, Ints b, Ints c, Ints d, const Output& out) {
    const int16x8_t ab = vcombine_s16(vmovn_s32(a), vmovn_s32(b));
    const int16x8_t cd = vcombine_s16(vmovn_s32(c), vmovn_s32(d));
    return vcombine_s8(vmovn_s16(vaddq_s16(ab, out.zero_point)),
                       vmovn_s16(vaddq_s16(cd, out.zero_point)));
  }
  // Twice every other byte of the halves.
  static SBNN_INLINE Bytes Turn(Bytes v) {
    for (int i = 0; i < 2; ++i) {
      const int8x8x2_t z = vzip_s8(vget_low_s8(v), vget_high_s8(v));
      v = vcombine_s8(z.val[0], z.val[1]);
    }
    return v;
  }
  static SBNN_INLINE Bytes JoinHalves(Bytes v) { return v; }
  static SBNN_INLINE void Store(int8_t* p, Bytes v) { vst1q_s8(p, v); }
  static SBNN_INLINE void StoreSums(int32_t* p, Sums v) { vst1q_s32(p, Total(v)); }
  static SBNN_INLINE void StoreOne(int8_t* p, Bytes v) {
    const int32_t four = vgetq_lane_s32(vreinterpretq_s32_s8(v), 0);
    __builtin_memcpy(p, &four, 4);
  }
  static SBNN_INLINE void StoreFirst(int8_t* p, Bytes v, int n) {
    int8x8_t rest = vget_low_s8(v);
    if ((n & 2) != 0) {
      vst1_s8(p, rest);
      rest = vget_high_s8(v);
      p += 8;
    }
    if ((n & 1) != 0) {
      const int32_t four = vget_lane_s32(vreinterpret_s32_s8(rest), 0);
      __builtin_memcpy(p, &four, 4);
    }
  }
  static SBNN_INLINE void StorePlanes(int8_t* p, size_t stride, Bytes v) {
    const int32x4_t planes = vreinterpretq_s32_s8(v);
    const int32_t four[4] = {vgetq_lane_s32(planes, 0), vgetq_lane_s32(planes, 1),
                             vgetq_lane_s32(planes, 2), vgetq_lane_s32(planes, 3)};
    for (int c = 0; c < 4; ++c) __builtin_memcpy(p + c * stride, &four[c], 4);
  }
  template <class Vectors>
  static SBNN_INLINE void InOrder(Vectors&) {}
};

// The weights of a step: in one register, whose lanes the product names.
template <class V, int G>
struct GroupWeights {
#if defined(SBNN_DOT)
  SBNN_INLINE explicit GroupWeights(const int8_t* p) {
    if constexpr (G == 4) {
      w = vld1q_s8(p);
    } else if constexpr (G == 2) {
      w = vcombine_s8(vld1_s8(p), vdup_n_s8(0));
    } else {
      w = V128::Broadcast(p);
    }
  }
  template <class Vector>
  SBNN_INLINE void DotWith(V128::Sums& sums, V128::Quads x, int i) const {
    if (G == 1) {
      sums = vdotq_s32(sums, x, w);
    } else if (i == 0) {
      sums = vdotq_laneq_s32(sums, x, w, 0);
    } else if (i == 1) {
      sums = vdotq_laneq_s32(sums, x, w, 1);
    } else if (i == 2) {
      sums = vdotq_laneq_s32(sums, x, w, 2);
    } else {
      sums = vdotq_laneq_s32(sums, x, w, 3);
    }
  }
  int8x16_t w;
#else
  SBNN_INLINE explicit GroupWeights(const int8_t* p) : w(p) {}
  template <class Vector>
  SBNN_INLINE void DotWith(V128::Sums& sums, V128::Quads x, int i) const {
    V128::Dot(sums, x, V128::Broadcast(w + 4 * i));
  }
  const int8_t* w;
#endif
};

}  // namespace SBNN_ISA
}  // namespace int8
}  // namespace sbnn

#endif  // SBNN_DELEGATE_KERNELS_INT8_VEC_NEON_H_
