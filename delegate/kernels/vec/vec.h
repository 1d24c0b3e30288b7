// The vector that kernels compute with: the one place where they meet an instruction set.
//
// A kernel's translation unit is compiled with the options of one instruction set, and includes its
// header from this folder before any kernel. Each such header defines, in the namespace SBNN_ISA
// that keeps the copies of the kernels apart, what this page lists;
// tests/delegate/kernels/vec/vec_test.cc holds each to it. Nothing in these headers or in the
// kernels may call an inline function of the standard library: the linker would be free to keep the
// copy that was compiled for a newer CPU.
//
// Names: a, b, c and the results are Vecs of kLanes Elements; a[i] is lane i. p points to Elements
// of any alignment.
//
// Constants
//   kRegisters        vector registers that a kernel may fill.
//   kMemoryOperands   one operand of an FMA may be in memory.
//   Vec::kLanes       a power of two, 4 to 16 (kMaxLanes).
//   Vec::kShiftsCostLess  shifting two vectors together takes less than loading what lies between.
//   Vec::kExactThirds     LoadThirds reads nothing behind the last element that it returns.
//   Vec::kSideBySide      vectors of a row that a depthwise convolution computes together.
//   Vec::kStepsOfTwo, Vec::kRounder   see PowerOfTwo.
//
// Memory
//   Load(p)  Store(p, a)          kLanes elements.
//   LoadFirst(p, n)  StoreFirst(p, a, n)   touch the first n only, 0 < n < kLanes; the other lanes
//                                 load as zero.
//   MaskOf(first, end)            of the lanes first <= i < end; any integers, the mask may be
//   empty. LoadMasked(p, mask)           those lanes, the others zero. May read the whole vector at
//   p. LoadThirds(p)                 a[i] = p[3 * i].
//
// Arithmetic, lane by lane
//   Blend(mask, a, b)             those lanes of a, the others of b.
//   Set(x)                        x in every lane.
//   Add, Sub, Mul, Div (a, b)
//   Fma(a, b, c)                  a * b + c; rounded once, or twice where FMAs are not fused.
//   Max(a, b)  Min(a, b)          name the bound first: of NaN and a number, x86 returns the
//   second,
//                                 so that NaN in b stays NaN.
//   PowerOfTwo(t)                 (floats only) of t = n + kRounder, n in [-126, 127): 2^n. Adding
//                                 kRounder rounds n to steps of 1 / kStepsOfTwo, which count in the
//                                 last bits of t.
//   FmaScalar(a, s[i], c)         a * s[i] + c, for s a Scalars<N>(p): N elements in a row.
//   TwoSets(p).of[i]              Set(p[i]), i < 2.
//
// Across lanes
//   Deinterleave(a, b, &even, &odd)   of the 2 * kLanes elements of a and b.
//   Shifted<N>(a, b)              lanes N and up of a, then the first N of b; 0 < N <= 4.
//   Permute(a, p, first)          (floats only) a[p[i] - first] of int32_t p[i], all of them lanes.
//   AddLanes(a)                   the sum of all, as a float.
//   FirstFour(a)                  lanes 0 to 3 as the compiler's vector Four.
//   WideVec, Widen(a), Add, AddLanes   floats, for sums of many.
//   Keep(a)                       a, in a register, of which the compiler knows nothing.
//
// A few outputs of one pixel, as the compiler's vectors
//   AddScaled<N>(w, x, &sum)      sum[i] += w[i] * x, for an Elements<N>::Type.
//   AddProducts(w, x, &sum)       sum[i] += w[i] * x[i], i < 4.
//
// Where only some have a thing, a macro says so:
//   SBNN_MASKED           Masked(a, mask): what the mask leaves out is zero. Those whose
//   kSideBySide is
//                         2 need it.
//   SBNN_VECTOR_HALVES    two rows of 8 lanes in one vector: avx512.h.
//   SBNN_FP16             elements are of 16 bits; WideVec is two vectors of floats, which
//   LoadWide,
//                         StoreWide and Narrow know.
#ifndef SBNN_DELEGATE_KERNELS_VEC_VEC_H_
#define SBNN_DELEGATE_KERNELS_VEC_VEC_H_

#ifndef SBNN_ISA
#error "include the header of an instruction set first, such as delegate/kernels/vec/avx2.h"
#endif

namespace sbnn {
namespace SBNN_ISA {

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

}  // namespace SBNN_ISA
}  // namespace sbnn

#endif  // SBNN_DELEGATE_KERNELS_VEC_VEC_H_
