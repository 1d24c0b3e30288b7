// Vectors of 128 bits: WebAssembly's SIMD. By its products of 16-bit numbers, each of which adds up
// two neighbours: bytes are widened first, and a lane's sum is in two halves. With SBNN_DOT by the
// relaxed products of four bytes, where these are exact (see HasExactDots).
#ifndef SBNN_DELEGATE_KERNELS_INT8_VEC_WASM_H_
#define SBNN_DELEGATE_KERNELS_INT8_VEC_WASM_H_

#define SBNN_INPUT_OFFSET 0

#include <wasm_simd128.h>

#include "delegate/kernels/int8/vec/begin.inl.h"

namespace sbnn {
namespace int8 {
namespace SBNN_ISA {

struct V128 {
  static constexpr int kLanes = 4;
  using Bytes = v128_t;
#if defined(SBNN_DOT)
  using Quads = v128_t;
  using Weights = v128_t;
  using Sums = v128_t;
  static constexpr int kSumRegisters = 1;
#else
  static constexpr int kSumRegisters = 2;
  struct Shorts {
    v128_t low, high;
  };
  using Quads = Shorts;
  using Weights = Shorts;
  // Of each lane two halves, which Total adds up: lanes 0 and 1, then 2 and 3.
  struct Sums {
    v128_t low, high;
  };
#endif
  using Ints = v128_t;
  using Floats = v128_t;

  struct Output {
    template <typename R>
    SBNN_INLINE explicit Output(const R& to)
        : most(SetScale(static_cast<float>(to.hi - to.zero_point))),
          least(SetScale(static_cast<float>(to.lo - to.zero_point))),
          zero_point(wasm_i16x8_splat(static_cast<int16_t>(to.zero_point))) {}
    v128_t most, least, zero_point;
  };

  static SBNN_INLINE Bytes Load(const void* p) { return wasm_v128_load(p); }
  static SBNN_INLINE Bytes LoadOne(const int8_t* p) { return wasm_v128_load32_splat(p); }
  static SBNN_INLINE Bytes Fill(int8_t x) { return wasm_i8x16_splat(x); }
  static SBNN_INLINE Bytes SpreadQuads(const int8_t* p, const uint16_t* i) {
    return LoadOne(p + 4 * i[0]);
  }
  static SBNN_INLINE Weights LoadWeights(const int8_t* w) { return Repeat(w); }
  static SBNN_INLINE Sums AddQuarters(Sums sums) { return sums; }
  struct Part {
    SBNN_INLINE Part(int first, int end) : first(first) {
      const v128_t lane = wasm_i32x4_const(0, 1, 2, 3);
      mask = wasm_v128_and(wasm_i32x4_ge(lane, wasm_i32x4_splat(first)),
                           wasm_i32x4_lt(lane, wasm_i32x4_splat(end)));
    }
    int first;
    v128_t mask;
  };
  static SBNN_INLINE Bytes LoadPart(const int8_t* p, const Part& part, Bytes fill) {
    v128_t v = wasm_v128_load(p + 4 * part.first);
    for (int i = 0; i < part.first; ++i) v = wasm_i32x4_shuffle(v, v, 3, 0, 1, 2);
    return wasm_v128_bitselect(v, fill, part.mask);
  }
  static SBNN_INLINE Bytes LoadColumns(const int8_t* const (&p)[4]) {
    v128_t v = wasm_v128_load32_zero(p[0]);
    v = wasm_v128_load32_lane(p[1], v, 1);
    v = wasm_v128_load32_lane(p[2], v, 2);
    return Turn(wasm_v128_load32_lane(p[3], v, 3));
  }
  template <int kHalf>
  static SBNN_INLINE void Interleave(const Bytes (&b)[4], Bytes (&v)[4]) {
    const v128_t ab = Zip<kHalf>(b[0], b[1]), cd = Zip<kHalf>(b[2], b[3]);
    v[2 * kHalf] = wasm_i16x8_shuffle(ab, cd, 0, 8, 1, 9, 2, 10, 3, 11);
    v[2 * kHalf + 1] = wasm_i16x8_shuffle(ab, cd, 4, 12, 5, 13, 6, 14, 7, 15);
  }
  static SBNN_INLINE Bytes NextQuarter(Bytes, Bytes b) { return b; }
#if defined(SBNN_DOT)
  static SBNN_INLINE Quads Prepare(Bytes v) { return v; }
  static SBNN_INLINE Quads LoadQuads(const int8_t* p) { return Load(p); }
  static SBNN_INLINE Weights Broadcast(const int8_t* w) { return LoadOne(w); }
  static SBNN_INLINE Weights Repeat(const int8_t* w) { return Load(w); }
  static SBNN_INLINE Sums Set(int32_t x) { return wasm_i32x4_splat(x); }
  static SBNN_INLINE Sums SetFour(const int32_t* p) { return Load(p); }
  static SBNN_INLINE void Dot(Sums& sums, Quads x, Weights w) {
    sums = wasm_i32x4_relaxed_dot_i8x16_i7x16_add(w, x, sums);
  }
  static SBNN_INLINE Sums Add(Sums a, Sums b) { return wasm_i32x4_add(a, b); }
  static SBNN_INLINE v128_t Total(Sums sums) { return sums; }
#else
  static SBNN_INLINE Quads Prepare(Bytes v) {
    return {wasm_i16x8_extend_low_i8x16(v), wasm_i16x8_extend_high_i8x16(v)};
  }
  static SBNN_INLINE Quads LoadQuads(const int8_t* p) {
    return {wasm_i16x8_load8x8(p), wasm_i16x8_load8x8(p + 8)};
  }
  static SBNN_INLINE Weights Broadcast(const int8_t* w) {
    const v128_t v = wasm_i16x8_extend_low_i8x16(wasm_v128_load32_splat(w));
    return {v, v};
  }
  static SBNN_INLINE Weights Repeat(const int8_t* w) { return LoadQuads(w); }
  static SBNN_INLINE Sums Set(int32_t x) {
    const v128_t v = wasm_i32x4_make(x, 0, x, 0);
    return {v, v};
  }
  static SBNN_INLINE Sums SetFour(const int32_t* p) {
    return {wasm_u64x2_load32x2(p), wasm_u64x2_load32x2(p + 2)};
  }
  static SBNN_INLINE void Dot(Sums& sums, Quads x, Weights w) {
    sums.low = wasm_i32x4_add(sums.low, wasm_i32x4_dot_i16x8(x.low, w.low));
    sums.high = wasm_i32x4_add(sums.high, wasm_i32x4_dot_i16x8(x.high, w.high));
  }
  static SBNN_INLINE Sums Add(Sums a, Sums b) {
    return {wasm_i32x4_add(a.low, b.low), wasm_i32x4_add(a.high, b.high)};
  }
  static SBNN_INLINE v128_t Total(Sums sums) {
    return wasm_i32x4_add(wasm_i32x4_shuffle(sums.low, sums.high, 0, 2, 4, 6),
                          wasm_i32x4_shuffle(sums.low, sums.high, 1, 3, 5, 7));
  }
#endif

  static SBNN_INLINE Floats SetScale(float x) { return wasm_f32x4_splat(x); }
  static SBNN_INLINE Floats SetFourScales(const float* p) { return wasm_v128_load(p); }
  // Limited, a number has so few bits that adding 1.5 * 2^23 rounds it. (pmin and pmax are one
  // instruction of x64 each.)
  static SBNN_INLINE Ints Requantize(Sums sums, Floats scale, const Output& out) {
    v128_t v = wasm_f32x4_mul(wasm_f32x4_convert_i32x4(Total(sums)), scale);
    v = wasm_f32x4_pmax(wasm_f32x4_pmin(v, out.most), out.least);
    const v128_t rounder = wasm_f32x4_splat(0x1.8p23f);
    return wasm_i32x4_sub(wasm_f32x4_add(v, rounder), rounder);
  }
  static SBNN_INLINE Bytes Pack(Ints a, Ints b, Ints c, Ints d, const Output& out) {
    const v128_t ab = wasm_i16x8_add(wasm_i16x8_narrow_i32x4(a, b), out.zero_point);
    const v128_t cd = wasm_i16x8_add(wasm_i16x8_narrow_i32x4(c, d), out.zero_point);
    return wasm_i8x16_narrow_i16x8(ab, cd);
  }
  static SBNN_INLINE Bytes Turn(Bytes v) {
    return wasm_i8x16_shuffle(v, v, 0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  }
  static SBNN_INLINE Bytes JoinHalves(Bytes v) { return v; }
  static SBNN_INLINE void Store(int8_t* p, Bytes v) { wasm_v128_store(p, v); }
  static SBNN_INLINE void StoreOne(int8_t* p, Bytes v) { wasm_v128_store32_lane(p, v, 0); }
  static SBNN_INLINE void StoreSums(int32_t* p, Sums v) { wasm_v128_store(p, Total(v)); }
  static SBNN_INLINE void StoreFirst(int8_t* p, Bytes v, int n) {
    int8_t bytes[16];
    wasm_v128_store(bytes, v);
    __builtin_memcpy(p, bytes, 4 * n);
  }
  static SBNN_INLINE void StorePlanes(int8_t* p, size_t stride, Bytes v) {
    wasm_v128_store32_lane(p, v, 0);
    wasm_v128_store32_lane(p + stride, v, 1);
    wasm_v128_store32_lane(p + 2 * stride, v, 2);
    wasm_v128_store32_lane(p + 3 * stride, v, 3);
  }
  template <class Vectors>
  static SBNN_INLINE void InOrder(Vectors&) {}

 private:
  template <int kHalf>
  static SBNN_INLINE v128_t Zip(v128_t a, v128_t b) {
    if constexpr (kHalf == 0) {
      return wasm_i8x16_shuffle(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    } else {
      return wasm_i8x16_shuffle(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    }
  }
};

// The weights of a step: without products of four bytes, those of two outputs are widened at once.
template <class V, int G>
struct GroupWeights {
#if defined(SBNN_DOT)
  SBNN_INLINE explicit GroupWeights(const int8_t* p) : w(p) {}
  template <class Vector>
  SBNN_INLINE void DotWith(V128::Sums& sums, V128::Quads x, int i) const {
    V128::Dot(sums, x, V128::Broadcast(w + 4 * i));
  }
  const int8_t* w;
#else
  SBNN_INLINE explicit GroupWeights(const int8_t* p) {
    if constexpr (G == 1) {
      w[0] = V128::Broadcast(p).low;
    } else {
#pragma GCC unroll 2
      for (int i = 0; i < G / 2; ++i) w[i] = wasm_i16x8_load8x8(p + 8 * i);
    }
  }
  template <class Vector>
  SBNN_INLINE void DotWith(V128::Sums& sums, V128::Quads x, int i) const {
    v128_t v = w[i / 2];
    if (G > 1) v = i % 2 == 0 ? wasm_i64x2_shuffle(v, v, 0, 0) : wasm_i64x2_shuffle(v, v, 1, 1);
    V128::Dot(sums, x, {v, v});
  }
  v128_t w[(G + 1) / 2];
#endif
};

}  // namespace SBNN_ISA
}  // namespace int8
}  // namespace sbnn

#endif  // SBNN_DELEGATE_KERNELS_INT8_VEC_WASM_H_
