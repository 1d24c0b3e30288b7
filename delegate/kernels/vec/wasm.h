// Vectors of 4 floats: WebAssembly's SIMD of 128 bits, relaxed where the module is.
#ifndef SBNN_DELEGATE_KERNELS_VEC_WASM_H_
#define SBNN_DELEGATE_KERNELS_VEC_WASM_H_

#define SBNN_ISA wasm
#define SBNN_ISA_NAME "wasm"
#define SBNN_ELEMENT float

#include <wasm_simd128.h>

#include "delegate/kernels/vec/begin.inl.h"
#include "delegate/kernels/vec/compiler_sums.inl.h"

namespace sbnn {
namespace SBNN_ISA {

// Of V8 and SpiderMonkey on x64; those on arm64 have twice as many.
constexpr int kRegisters = 15;
constexpr bool kMemoryOperands = true;

struct Vec {
  static constexpr int kLanes = 4;
  static constexpr bool kShiftsCostLess = false;
  static constexpr bool kExactThirds = false;
  static constexpr int kSideBySide = 1;
  static constexpr int kStepsOfTwo = 1;
  static constexpr float kRounder = 0x1.8p23f + 127;
  v128_t v;
};
SBNN_INLINE Vec Load(const float* p) { return {wasm_v128_load(p)}; }
SBNN_INLINE void Store(float* p, Vec a) { wasm_v128_store(p, a.v); }
SBNN_INLINE Vec Set(float x) { return {wasm_f32x4_splat(x)}; }
#if defined(__wasm_relaxed_simd__)
SBNN_INLINE Vec Fma(Vec a, Vec b, Vec c) { return {wasm_f32x4_relaxed_madd(a.v, b.v, c.v)}; }
#else
SBNN_INLINE Vec Fma(Vec a, Vec b, Vec c) { return {wasm_f32x4_add(wasm_f32x4_mul(a.v, b.v), c.v)}; }
#endif
SBNN_INLINE Vec Add(Vec a, Vec b) { return {wasm_f32x4_add(a.v, b.v)}; }
SBNN_INLINE Vec Sub(Vec a, Vec b) { return {wasm_f32x4_sub(a.v, b.v)}; }
SBNN_INLINE Vec Mul(Vec a, Vec b) { return {wasm_f32x4_mul(a.v, b.v)}; }
SBNN_INLINE Vec Div(Vec a, Vec b) { return {wasm_f32x4_div(a.v, b.v)}; }
SBNN_INLINE Vec PowerOfTwo(Vec t) { return {wasm_i32x4_shl(t.v, 23)}; }
// (pmax(x, y) is x < y ? y : x, one instruction of x64.)
SBNN_INLINE Vec Max(Vec a, Vec b) { return {wasm_f32x4_pmax(b.v, a.v)}; }
SBNN_INLINE Vec Min(Vec a, Vec b) { return {wasm_f32x4_pmin(b.v, a.v)}; }
SBNN_INLINE Vec LoadFirst(const float* p, int n) {
  v128_t v = wasm_v128_load32_zero(p);
  if (n >= 2) v = wasm_v128_load32_lane(p + 1, v, 1);
  if (n >= 3) v = wasm_v128_load32_lane(p + 2, v, 2);
  return {v};
}
SBNN_INLINE void StoreFirst(float* p, Vec a, int n) {
  wasm_v128_store32_lane(p, a.v, 0);
  if (n >= 2) wasm_v128_store32_lane(p + 1, a.v, 1);
  if (n >= 3) wasm_v128_store32_lane(p + 2, a.v, 2);
}
typedef v128_t Mask;
SBNN_INLINE Mask MaskOf(int first, int end) {
  const v128_t lane = wasm_i32x4_const(0, 1, 2, 3);
  return wasm_v128_and(wasm_i32x4_ge(lane, wasm_i32x4_splat(first)),
                       wasm_i32x4_lt(lane, wasm_i32x4_splat(end)));
}
SBNN_INLINE Vec Blend(Mask m, Vec a, Vec b) { return {wasm_v128_bitselect(a.v, b.v, m)}; }
#define SBNN_MASKED
SBNN_INLINE Vec Masked(Vec a, Mask m) { return {wasm_v128_and(a.v, m)}; }
SBNN_INLINE Vec LoadMasked(const float* p, Mask m) { return Masked(Load(p), m); }
SBNN_INLINE Vec LoadThirds(const float* p) {
  // Elements 0 and 3 of the first vector, 2 of the second, 1 of the third.
  const v128_t low = wasm_i32x4_shuffle(wasm_v128_load(p), wasm_v128_load(p + 4), 0, 3, 6, 6);
  return {wasm_i32x4_shuffle(low, wasm_v128_load(p + 8), 0, 1, 2, 5)};
}
SBNN_INLINE void Deinterleave(Vec a, Vec b, Vec* even, Vec* odd) {
  even->v = wasm_i32x4_shuffle(a.v, b.v, 0, 2, 4, 6);
  odd->v = wasm_i32x4_shuffle(a.v, b.v, 1, 3, 5, 7);
}
template <int N>
SBNN_INLINE Vec Shifted(Vec a, Vec b) {
  if constexpr (N == 4) return b;
  return {wasm_i32x4_shuffle(a.v, b.v, N % 4, N % 4 + 1, N % 4 + 2, N % 4 + 3)};
}
SBNN_INLINE Vec Permute(Vec a, const int32_t* p, int first) {
  const v128_t lanes = wasm_i32x4_sub(wasm_v128_load(p), wasm_i32x4_splat(first));
  const v128_t bytes = wasm_i32x4_mul(lanes, wasm_i32x4_splat(0x04040404));
  return {wasm_i8x16_swizzle(a.v, wasm_i32x4_add(bytes, wasm_i32x4_splat(0x03020100)))};
}
SBNN_INLINE float AddLanes(Vec a) {
  const v128_t pairs = wasm_f32x4_add(a.v, wasm_i32x4_shuffle(a.v, a.v, 2, 3, 0, 1));
  return wasm_f32x4_extract_lane(pairs, 0) + wasm_f32x4_extract_lane(pairs, 1);
}
SBNN_INLINE Vec Keep(Vec a) { return a; }
SBNN_INLINE Four FirstFour(Vec a) { return reinterpret_cast<Four>(a.v); }
using WideVec = Vec;
SBNN_INLINE WideVec Widen(Vec a) { return a; }
// Of numbers in memory, by the instruction that loads one into all lanes. (The compiler finds it
// too, but computes the address by an instruction of its own.)
SBNN_INLINE Vec SetFrom(const float* p) { return {wasm_v128_load32_splat(p)}; }
SBNN_INLINE Vec Set(Vec a) { return a; }
SBNN_INLINE Vec FmaScalar(Vec a, float b, Vec c) { return Fma(a, Set(b), c); }
SBNN_INLINE Vec FmaScalar(Vec a, Vec b, Vec c) { return Fma(a, b, c); }
template <int N>
struct Scalars {
  SBNN_INLINE explicit Scalars(const float* p) : p(p) {}
  SBNN_INLINE Vec operator[](int i) const { return SetFrom(p + i); }
  const float* p;
};
struct TwoSets {
  SBNN_INLINE explicit TwoSets(const float* p) : of{SetFrom(p), SetFrom(p + 1)} {}
  Vec of[2];
};

}  // namespace SBNN_ISA
}  // namespace sbnn

#endif  // SBNN_DELEGATE_KERNELS_VEC_WASM_H_
