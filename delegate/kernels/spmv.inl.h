// Sparse matrix x one vector (fully connected, or a 1x1 convolution of one pixel), or x a diagonal
// matrix.
#include "delegate/kernels/kernels.h"
#include "delegate/kernels/vec/vec.h"

namespace sbnn {
namespace SBNN_ISA {
namespace {

#if !defined(__AVX512F__)
template <int G>
constexpr int kSpreadColumns = 1;
template <int G>
SBNN_INLINE Vec SpreadColumns(const Element*, const uint16_t*);
#endif

// A group's columns, side by side in chains to hide the latency of the FMA: `count` of them, of
// which it leaves less than a vector takes; returns how many it took.
template <int G>
SBNN_INLINE uint32_t AddColumns(const Element* x, const uint16_t* column, const Element* w,
                                uint32_t count, Outputs<G>* sum) {
  constexpr int kColumns = kSpreadColumns<G>, kChains = 4;
  constexpr int kAtOnce = kColumns * kChains;
  uint32_t done = 0;
  if constexpr (kColumns > 1) {
    Vec acc[kChains] = {Set(0), Set(0), Set(0), Set(0)};
    const auto add = [&](uint32_t first, Vec* to) {
      *to = Fma(Load(w + first * G), SpreadColumns<G>(x, column + first), *to);
    };
    for (; count - done >= kAtOnce; done += kAtOnce) {
#pragma GCC unroll 4
      for (int k = 0; k < kChains; ++k) add(done + k * kColumns, &acc[k]);
    }
    for (; count - done >= kColumns; done += kColumns) add(done, &acc[0]);
    Element lanes[Vec::kLanes];
    Store(lanes, Add(Add(acc[0], acc[1]), Add(acc[2], acc[3])));
    Outputs<G> parts[kColumns];
    for (int i = 0; i < kColumns; ++i) parts[i].Set(lanes + i * G);
    for (int i = 0; i < kColumns; ++i) sum->Add(parts[i]);
  } else {
    // The G outputs are the vector.
    Outputs<G> acc[kChains] = {};
    for (; count - done >= kChains; done += kChains) {
#pragma GCC unroll 4
      for (int k = 0; k < kChains; ++k) acc[k].AddScaled(w + (done + k) * G, x[column[done + k]]);
    }
    acc[0].Add(acc[1]);
    acc[2].Add(acc[3]);
    sum->Add(acc[0]);
    sum->Add(acc[2]);
  }
  return done;
}

template <int G>
void Spmv(const SpmvArgs& args) {
  const Element* const x = AsElements(args.x);
  const Element* const bias = AsElements(args.bias);
  Element* const y = AsElements(args.y);
  for (uint32_t g = args.first_group; g < args.end_group; ++g) {
    const uint32_t first = args.group_begin[g], count = args.group_begin[g + 1] - first;
    const uint16_t* const column = args.columns + first;
    const Element* const w = AsElements(args.weights) + static_cast<size_t>(first) * G;
    Outputs<G> sum = {};
    for (uint32_t i = AddColumns<G>(x, column, w, count, &sum); i < count; ++i) {
      sum.AddScaled(w + i * G, x[column[i]]);
    }
    for (int i = 0; i < G; ++i) {
      const size_t output = static_cast<size_t>(g) * G + i;
      y[output] = ClampOne(sum[i] + bias[output], args.lo, args.hi);
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
