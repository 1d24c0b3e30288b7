// What the int8 vectors of every instruction set begin with. To be included by the headers beside
// this one, after SBNN_ISA and SBNN_REGISTERS, the number of vector registers, are defined.
//
// A vector class V has kLanes 32-bit lanes, in 128-bit quarters of four, sums of which take
// kSumRegisters, and as static functions
//
//   Bytes Load(p)               inputs of kLanes quads, in the form that products take them
//   Bytes Fill(byte)            the same of one input everywhere
//   Bytes LoadPart(p, Part(first, end), fill)   quads [first, end) of them, `fill` elsewhere; none
//                               before the first is read
//   Bytes LoadColumns(p[4])     the inputs of kLanes pixels from four planes, as quads
//   Bytes SpreadQuads(p, i)     quarter q: four times quad i[q] of p
//   Weights LoadWeights(p)      sixteen weights for each quarter
//   V128::Sums AddQuarters(sums)
//   Interleave(b[4], v)         inputs of 4 * kLanes pixels of four planes to quads: quarter q of
//                               v[k] has pixels 16 q + 4 k and up. With <kHalf>: v[2 kHalf] and the
//                               next one only
//   Bytes NextQuarter(a, b)     quarters 1, 2, ... of a, and the first of b
//   Quads Prepare(bytes)        what Dot takes
//   Quads LoadQuads(p)          Prepare(Load(p))
//   Weights Broadcast(p)        four weights for every lane
//   Weights Repeat(p)           sixteen weights for every quarter
//   Sums Set(int), SetFour(p)   sums to begin with: the same in all lanes, or in all quarters
//   Dot(sums, quads, weights)   adds to each lane the sum of its four products
//   Sums Add(sums, sums)
//   Floats SetScale(x), SetFourScales(p)
//   Ints Total(sums)            each lane's sum
//   Ints SetInts(x), LoadInts(p), Floats LoadFloats(p)    the same in all lanes, or one for each
//   Ints LessProduct(a, b, c)   a - b * c
//   Floats Scale(ints, a, b, c) their floats times a, times b plus c, these two rounded once
//   Floats Min(a, b), Max(a, b), StoreFloats(p, floats)
//   Ints Requantize(sums, scale, out)     without the zero point
//   Bytes Pack(a, b, c, d, out) quarter q: those of a, b, c and d, limited as `out` says
//   Bytes Turn(bytes)           each quarter as a matrix of 4 x 4, transposed
//   Store(p, bytes), StoreFirst(p, bytes, n)    n quads
//   StorePlanes(p, stride, bytes)         of each quarter, dword c to plane c; so kLanes bytes each
//   StorePlanesFirst(p, stride, bytes, n) n bytes each; only of the longest vectors
//   Bytes JoinHalves(bytes)     the first halves of all quarters, then the second ones
//   StoreBytesFirst(p, bytes, n)          n bytes; only of the longest vectors
//   InOrder(v[4])               of bytes or ints, what Interleave made to pixels side by side:
//                               quarter q of v[k] becomes quarter 4 q + k of all four
//
// with Output, what requantizing needs in registers. V128 also has LoadOne(p), a quad for all
// lanes, StoreOne(p, bytes), the first quad, and StoreSums(p, sums). GroupWeights<V, G>, the
// weights of a step, has DotWith<V>(sums, quads, weights, i).
#include <cstddef>
#include <cstdint>

#define SBNN_INLINE inline __attribute__((always_inline))

namespace sbnn {
namespace int8 {
namespace SBNN_ISA {

constexpr int kRegisters = SBNN_REGISTERS;

SBNN_INLINE int32_t LoadFourBytes(const void* p) {
  int32_t v;
  __builtin_memcpy(&v, p, sizeof(v));
  return v;
}

}  // namespace SBNN_ISA
}  // namespace int8
}  // namespace sbnn
