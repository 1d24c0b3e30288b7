// Vectors without an instruction set: the reference, and what runs where nothing else does.
#ifndef SBNN_DELEGATE_KERNELS_VEC_SCALAR_H_
#define SBNN_DELEGATE_KERNELS_VEC_SCALAR_H_

#define SBNN_ISA scalar
#define SBNN_ISA_NAME "scalar"
#define SBNN_ELEMENT float

#include "delegate/kernels/vec/begin.inl.h"
#include "delegate/kernels/vec/compiler_sums.inl.h"

namespace sbnn {
namespace SBNN_ISA {

constexpr int kRegisters = 16;
constexpr bool kMemoryOperands = false;

struct Vec {
  static constexpr int kLanes = 4;  // as wide as NEON, so that tiles are exercised alike
  static constexpr bool kShiftsCostLess = false;
  static constexpr bool kExactThirds = true;
  static constexpr int kSideBySide = 1;
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
SBNN_INLINE Vec PowerOfTwo(Vec t) {
  SBNN_EACH {
    uint32_t bits;
    __builtin_memcpy(&bits, &t.v[i], sizeof(bits));
    bits <<= 23;
    __builtin_memcpy(&t.v[i], &bits, sizeof(bits));
  }
  return t;
}
SBNN_INLINE Vec Max(Vec a, Vec b) {
  SBNN_EACH a.v[i] = a.v[i] > b.v[i] ? a.v[i] : b.v[i];
  return a;
}
SBNN_INLINE Vec Min(Vec a, Vec b) {
  SBNN_EACH a.v[i] = a.v[i] < b.v[i] ? a.v[i] : b.v[i];
  return a;
}
SBNN_INLINE Vec LoadFirst(const float* p, int n) {
  Vec r;
  SBNN_EACH r.v[i] = i < n ? p[i] : 0.0f;
  return r;
}
SBNN_INLINE void StoreFirst(float* p, Vec a, int n) { SBNN_EACH if (i < n) p[i] = a.v[i]; }
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
SBNN_INLINE Vec LoadMasked(const float* p, Mask m) {
  Vec r;
  SBNN_EACH r.v[i] = i >= m.first && i < m.end ? p[i] : 0.0f;
  return r;
}
SBNN_INLINE Vec Blend(Mask m, Vec a, Vec b) {
  SBNN_EACH if (i < m.first || i >= m.end) a.v[i] = b.v[i];
  return a;
}
#define SBNN_MASKED
SBNN_INLINE Vec Masked(Vec a, Mask m) {
  SBNN_EACH if (i < m.first || i >= m.end) a.v[i] = 0;
  return a;
}
SBNN_INLINE Vec Permute(Vec a, const int32_t* p, int first) {
  Vec r;
  SBNN_EACH r.v[i] = a.v[p[i] - first];
  return r;
}
SBNN_INLINE float AddLanes(Vec a) {
  float s = 0;
  SBNN_EACH s += a.v[i];
  return s;
}
SBNN_INLINE Vec Keep(Vec a) { return a; }
SBNN_INLINE Four FirstFour(Vec a) { return Four{a.v[0], a.v[1], a.v[2], a.v[3]}; }
#undef SBNN_EACH
using WideVec = Vec;
SBNN_INLINE WideVec Widen(Vec a) { return a; }

}  // namespace SBNN_ISA
}  // namespace sbnn

#include "delegate/kernels/vec/broadcast.inl.h"
#include "delegate/kernels/vec/two_sets.inl.h"

#endif  // SBNN_DELEGATE_KERNELS_VEC_SCALAR_H_
