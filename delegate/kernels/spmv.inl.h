// Sparse matrix x one vector (fully connected, or a 1x1 convolution of one pixel), or x a diagonal
// matrix.
#include "delegate/kernels/kernels.h"
#include "delegate/kernels/vec/vec.h"

namespace sbnn {
namespace SBNN_ISA {
namespace {

// The G outputs of a group are the vector. Four columns run side by side to hide the latency of the
// FMA.
template <int G>
void Spmv(const SpmvArgs& args) {
  constexpr int kChains = 4;
  const Element* const x = AsElements(args.x);
  const Element* const bias = AsElements(args.bias);
  Element* const y = AsElements(args.y);
  for (uint32_t g = args.first_group; g < args.end_group; ++g) {
    const uint32_t first = args.group_begin[g];
    const uint16_t* column = args.columns + first;
    uint32_t left = args.group_begin[g + 1] - first;
    const Element* w = AsElements(args.weights) + static_cast<size_t>(first) * G;
    Outputs<G> acc[kChains] = {};
    for (; left >= kChains; left -= kChains, column += kChains, w += kChains * G) {
#pragma GCC unroll 4
      for (int k = 0; k < kChains; ++k) acc[k].AddScaled(w + k * G, x[column[k]]);
    }
    for (; left > 0; --left, ++column, w += G) {
      acc[0].AddScaled(w, x[*column]);
    }
    acc[0].Add(acc[1]);
    acc[2].Add(acc[3]);
    acc[0].Add(acc[2]);
    for (int i = 0; i < G; ++i) {
      const size_t output = static_cast<size_t>(g) * G + i;
      y[output] = ClampOne(acc[0][i] + bias[output], args.lo, args.hi);
    }
  }
}

// Four elements that lie anywhere. One load brings their places: loads are what this kernel waits
// for. (Byte order: little-endian, as all of these machines are.)
SBNN_INLINE Four Gather(const Element* x, const uint16_t* place) {
  uint64_t four;
  __builtin_memcpy(&four, place, sizeof(four));
  four = Hide(four);
  return Four{x[four & 0xffff], x[four >> 16 & 0xffff], x[four >> 32 & 0xffff], x[four >> 48]};
}

// One output at a time: four of its weights are the vector, for which x is gathered. (AVX-512's own
// gathers take 1.7 times as long on Zen 4.)
void SpmvOne(const SpmvArgs& args) {
  constexpr int kChains = 4;
  const Element* const x = AsElements(args.x);
  const Element* const bias = AsElements(args.bias);
  Element* const y = AsElements(args.y);
  const uint16_t* column = args.columns + args.group_begin[args.first_group];
  const Element* w = AsElements(args.weights) + args.group_begin[args.first_group];
  for (uint32_t g = args.first_group; g < args.end_group; ++g) {
    uint32_t left = args.group_begin[g + 1] - args.group_begin[g];
    Four acc[kChains] = {};
    for (; left >= 4 * kChains; left -= 4 * kChains, column += 4 * kChains, w += 4 * kChains) {
      __builtin_prefetch(w + 2 * kAhead);
#pragma GCC unroll 4
      for (int k = 0; k < kChains; ++k) AddProducts(w + 4 * k, Gather(x, column + 4 * k), &acc[k]);
    }
    for (; left >= 4; left -= 4, column += 4, w += 4) AddProducts(w, Gather(x, column), &acc[0]);
    const Four sum = (acc[0] + acc[1]) + (acc[2] + acc[3]);
    Element value = (sum[0] + sum[1]) + (sum[2] + sum[3]);
    for (; left > 0; --left, ++column, ++w) value += *w * x[*column];
    y[g] = ClampOne(value + bias[g], args.lo, args.hi);
  }
}

template <int G>
SBNN_INLINE void ScaleGroups(const ScaleColumnsArgs& args) {
  using Group = Outputs<G>;
  const uint16_t* const columns = args.columns;
  const Element* const factors = AsElements(args.factors);
  const Element* w = AsElements(args.weights);
  Element* y = AsElements(args.y);
  for (size_t i = 0; i < args.count; ++i, w += G, y += G) {
    Group scaled = {};
    scaled.AddScaled(w, factors[columns[i]]);
#pragma GCC unroll 2
    for (int q = 0; q < G / Group::kPiece; ++q) {
      *reinterpret_cast<typename Group::Unaligned*>(y + q * Group::kPiece) = scaled.pieces[q];
    }
  }
}

void ScaleColumns(const ScaleColumnsArgs& args) {
  switch (args.group) {
    case 1:
      return ScaleGroups<1>(args);
    case 2:
      return ScaleGroups<2>(args);
    case 4:
      return ScaleGroups<4>(args);
    default:
      return ScaleGroups<8>(args);
  }
}

}  // namespace
}  // namespace SBNN_ISA
}  // namespace sbnn
