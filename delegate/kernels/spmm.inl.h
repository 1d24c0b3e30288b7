// Sparse matrix x panel. For each kept column the pixels are loaded once and multiplied by G
// weights, so that G x P vector FMAs stand against P + G loads. Source of the idea of a register
// tile with sparse columns: Elsen et al., "Fast Sparse ConvNets" (2019); groups make the loads pay
// G times.
#include "delegate/kernels/kernels.h"
#include "delegate/kernels/vec/vec.h"

namespace sbnn {
namespace SBNN_ISA {
namespace {

// Weights are read once and from far away (a late layer has more than an L2 cache holds), at a few
// bytes a cycle, which hardware prefetchers do not keep up with: a tenth of MobileNet-v1's time.
constexpr int kAhead = 256;  // elements

// The sum of columns, for a tile of P vectors of pixels and T single ones behind them. x: the tile.
template <int G, int P, int T>
SBNN_INLINE void AddColumns(const char* x, const int32_t* offset, const int32_t* end,
                            const Element* w, Vec (&acc)[G][P], Outputs<G> (&tail)[T + 1],
                            const char*& fetch, size_t fetch_step) {
  constexpr int kTail = P * Vec::kLanes;
  for (; offset != end; ++offset, w += G) {
    if constexpr (!kOnWasm) {
      __builtin_prefetch(w + kAhead);
      __builtin_prefetch(fetch);
      fetch += fetch_step;
    }
    const Element* const pixels = reinterpret_cast<const Element*>(x + *offset);
    if constexpr (kOnWasm && P > 1 && G <= 4) {
      const Scalars<G> weights(w);
#pragma GCC unroll 16
      for (int j = 0; j < P; ++j) {
        const Vec v = Load(pixels + j * Vec::kLanes);
#pragma GCC unroll 4
        for (int i = 0; i < G; ++i) acc[i][j] = FmaScalar(v, weights[i], acc[i][j]);
      }
    } else {
      const Scalars<G> weights(w);
      Vec v[P];
#pragma GCC unroll 16
      for (int j = 0; j < P; ++j) v[j] = Load(pixels + j * Vec::kLanes);
#pragma GCC unroll 16
      for (int i = 0; i < G; ++i) {
#pragma GCC unroll 16
        for (int j = 0; j < P; ++j) acc[i][j] = FmaScalar(v[j], weights[i], acc[i][j]);
      }
    }
#pragma GCC unroll 4
    for (int t = 0; t < T; ++t) tail[t].AddScaled(w, pixels[kTail + t]);
  }
}

// Outputs kFirst and up of a column.
template <int kFirst, int G, int P, int N>
SBNN_INLINE void AddPixels(const Vec& pixels, int j, const Scalars<N>& weights, Vec (&acc)[G][P]) {
#pragma GCC unroll 8
  for (int i = 0; i < N; ++i) {
    acc[kFirst + i][j] = FmaScalar(pixels, weights[i], acc[kFirst + i][j]);
  }
}

// The same where loads are instructions of their own, and some cores issue in order (NEON): while a
// column is multiplied, the next one's pixels are loaded, each into the register that was just read
// for the last time. Of the weights, one half is loaded while the other is in use.
template <int G, int P, int T>
SBNN_INLINE void AddColumnsAhead(const char* x, const int32_t* offset, const int32_t* end,
                                 const Element* w, Vec (&acc)[G][P], Outputs<G> (&tail)[T + 1]) {
  constexpr int kTail = P * Vec::kLanes, kHigh = G / 2, kLow = G - kHigh;
  if (offset == end) return;
  const Element* pixels = reinterpret_cast<const Element*>(x + *offset);
  Scalars<kLow> low(w);
  Vec v[P];
#pragma GCC unroll 16
  for (int j = 0; j < P; ++j) v[j] = Load(pixels + j * Vec::kLanes);
  for (++offset; offset != end; ++offset) {
    const Element* const next = reinterpret_cast<const Element*>(x + *offset);
    __builtin_prefetch(w + kAhead);
    if constexpr (G == 1) {
#pragma GCC unroll 16
      for (int j = 0; j < P; ++j) {
        AddPixels<0>(v[j], j, low, acc);
        v[j] = Load(next + j * Vec::kLanes);
      }
      low = Scalars<kLow>(w + G);
    } else {
      const Scalars<kHigh> high(w + kLow);
#pragma GCC unroll 16
      for (int j = 0; j < P; ++j) AddPixels<0>(v[j], j, low, acc);
      low = Scalars<kLow>(w + G);
#pragma GCC unroll 16
      for (int j = 0; j < P; ++j) {
        AddPixels<kLow>(v[j], j, high, acc);
        v[j] = Load(next + j * Vec::kLanes);
      }
    }
#pragma GCC unroll 4
    for (int t = 0; t < T; ++t) tail[t].AddScaled(w, pixels[kTail + t]);
    pixels = next;
    w += G;
  }
#pragma GCC unroll 16
  for (int j = 0; j < P; ++j) {
    AddPixels<0>(v[j], j, low, acc);
    if constexpr (G > 1) AddPixels<kLow>(v[j], j, Scalars<kHigh>(w + kLow), acc);
  }
#pragma GCC unroll 4
  for (int t = 0; t < T; ++t) tail[t].AddScaled(w, pixels[kTail + t]);
}

// A tile of P vectors of pixels and T single ones behind them. For the latter the G outputs are the
// vector: that costs less than one more vector of pixels that is mostly empty.
template <int G, int P, int T>
void Spmm(const SpmmArgs& args) {
  constexpr int kTail = P * Vec::kLanes;
  const Vec lo = Set(args.lo), hi = Set(args.hi);
  const char* const x = static_cast<const char*>(args.x);
  const size_t y_stride = args.y_stride;
  const uint32_t end_group = args.end_group;
  const char* fetch = args.fetch == nullptr ? x : args.fetch;
  const size_t fetch_step = args.fetch_step;
  for (uint32_t g = args.first_group; g < end_group; ++g) {
    const uint32_t first = args.group_begin[g];
    const int32_t* offset = args.offset_bytes + first;
    const int32_t* const end = args.offset_bytes + args.group_begin[g + 1];
    const Element* w = AsElements(args.weights) + static_cast<size_t>(first) * G;
    const Element* bias = AsElements(args.bias) + static_cast<size_t>(g) * G;
    Vec acc[G][P];
#pragma GCC unroll 16
    for (int i = 0; i < G; ++i) {
      const Vec b = Set(bias[i]);
#pragma GCC unroll 16
      for (int j = 0; j < P; ++j) acc[i][j] = b;
    }
    Outputs<G> tail[T + 1];
#pragma GCC unroll 4
    for (int t = 0; t < T; ++t) tail[t].Set(bias);
    if constexpr (kMemoryOperands) {
      AddColumns<G, P, T>(x, offset, end, w, acc, tail, fetch, fetch_step);
    } else {
      AddColumnsAhead<G, P, T>(x, offset, end, w, acc, tail);
    }
    Element* y = AsElements(args.y) + static_cast<size_t>(g) * G * y_stride;
    if (args.add != nullptr) {
      const Element* add = AsElements(args.add) + static_cast<size_t>(g) * G * y_stride;
#pragma GCC unroll 16
      for (int i = 0; i < G; ++i, add += y_stride) {
#pragma GCC unroll 16
        for (int j = 0; j < P; ++j) acc[i][j] = Add(acc[i][j], Load(add + j * Vec::kLanes));
#pragma GCC unroll 4
        for (int t = 0; t < T; ++t) tail[t].Add(i, add[kTail + t]);
      }
    }
    // One step for all at a time: cores that issue in order wait for no result.
#pragma GCC unroll 16
    for (int i = 0; i < G; ++i) {
#pragma GCC unroll 16
      for (int j = 0; j < P; ++j) acc[i][j] = Max(lo, acc[i][j]);
    }
#pragma GCC unroll 16
    for (int i = 0; i < G; ++i) {
#pragma GCC unroll 16
      for (int j = 0; j < P; ++j) acc[i][j] = Min(hi, acc[i][j]);
    }
#pragma GCC unroll 16
    for (int i = 0; i < G; ++i, y += y_stride) {
#pragma GCC unroll 16
      for (int j = 0; j < P; ++j) Store(y + j * Vec::kLanes, acc[i][j]);
#pragma GCC unroll 4
      for (int t = 0; t < T; ++t) y[kTail + t] = ClampOne(tail[t][i], args.lo, args.hi);
    }
  }
}

}  // namespace
}  // namespace SBNN_ISA
}  // namespace sbnn
