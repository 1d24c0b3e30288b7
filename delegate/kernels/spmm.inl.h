// Sparse matrix x panel. For each kept column the pixels are loaded once and multiplied by G
// weights, so that G x P vector FMAs stand against P + G loads. Source of the idea of a register
// tile with sparse columns: Elsen et al., "Fast Sparse ConvNets" (2019); groups make the loads pay
// G times.
#include "delegate/kernels/kernels.h"
#include "delegate/kernels/vec.h"

namespace sbnn {
namespace SBNN_ISA {
namespace {

// Weights are read once and from far away (a late layer has more than an L2 cache holds), at a few
// bytes a cycle, which hardware prefetchers do not keep up with: a tenth of MobileNet-v1's time.
constexpr int kAhead = 256;  // elements

// A tile of P vectors of pixels and T single ones behind them. For the latter the G outputs are the
// vector: that costs less than one more vector of pixels that is mostly empty.
template <int G, int P, int T>
void Spmm(const SpmmArgs& args) {
  using Column = typename Elements<G>::Type;
  using Unaligned = typename Elements<G>::Unaligned;
  constexpr int kTail = P * Vec::kLanes;
  const Vec lo = Set(args.lo), hi = Set(args.hi);
  const char* const x = static_cast<const char*>(args.x);
  const size_t y_stride = args.y_stride;
  const uint32_t end_group = args.end_group;
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
    Column tail[T + 1];
#pragma GCC unroll 4
    for (int t = 0; t < T; ++t) tail[t] = *reinterpret_cast<const Unaligned*>(bias);
    for (; offset != end; ++offset, w += G) {
      __builtin_prefetch(w + kAhead);
      const Element* const pixels = reinterpret_cast<const Element*>(x + *offset);
      const Scalars<G> weights(w);
      Vec v[P];
#pragma GCC unroll 16
      for (int j = 0; j < P; ++j) v[j] = Load(pixels + j * Vec::kLanes);
#pragma GCC unroll 16
      for (int i = 0; i < G; ++i) {
#pragma GCC unroll 16
        for (int j = 0; j < P; ++j) acc[i][j] = FmaScalar(v[j], weights[i], acc[i][j]);
      }
#pragma GCC unroll 4
      for (int t = 0; t < T; ++t) AddScaled<G>(w, pixels[kTail + t], &tail[t]);
    }
    Element* y = AsElements(args.y) + static_cast<size_t>(g) * G * y_stride;
    if (args.add != nullptr) {
      const Element* add = AsElements(args.add) + static_cast<size_t>(g) * G * y_stride;
#pragma GCC unroll 16
      for (int i = 0; i < G; ++i, add += y_stride) {
#pragma GCC unroll 16
        for (int j = 0; j < P; ++j) acc[i][j] = Add(acc[i][j], Load(add + j * Vec::kLanes));
#pragma GCC unroll 4
        for (int t = 0; t < T; ++t) tail[t][i] += add[kTail + t];
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
