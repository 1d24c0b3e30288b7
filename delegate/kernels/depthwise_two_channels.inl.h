// Depthwise convolution of narrow planes, two channels side by side in a vector: a plane of 7 x 7
// would leave more than half of a vector of 16 idle. Rows are loaded whole, and a tap is a
// permutation of the rows of both channels, which makes the zeros at the sides, too.
#include "delegate/kernels/kernels.h"
#include "delegate/kernels/vec/vec.h"

namespace sbnn {
namespace SBNN_ISA {
namespace {

template <int K>
struct ChannelPair {
  const Element* x[2];
  Element* y[2];
  const Element* weights[2];
  Vec bias;
};

// R output rows. `taps` tell where tap k finds its pixels in a row of each channel.
template <int K, int S, int R>
SBNN_INLINE void PairBlock(const DepthwiseDirectArgs& a, const ChannelPair<K>& pair,
                           const PairIndex (&taps)[K], int row) {
  constexpr int kInputRows = S * (R - 1) + K;
  const Element* const w0 = Hide(pair.weights[0]);
  const Element* const w1 = Hide(pair.weights[1]);
  Vec weights[K * K];
#pragma GCC unroll 25
  for (int t = 0; t < K * K; ++t) weights[t] = Keep(SetHalves(w0[t], w1[t]));
  const int in_w = a.in_w, out_w = a.out_w;
  const int top = row * S - a.pad_top;
  const Element* x0 = Hide(pair.x[0] + static_cast<ptrdiff_t>(top) * in_w);
  const Element* x1 = Hide(pair.x[1] + static_cast<ptrdiff_t>(top) * in_w);
  Vec acc[R];
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) acc[r] = pair.bias;
#pragma GCC unroll 16
  for (int i = 0; i < kInputRows; ++i, x0 += in_w, x1 += in_w) {
    if (static_cast<unsigned>(top + i) >= static_cast<unsigned>(a.in_h)) continue;
    const Vec row0 = LoadFirst(x0, in_w), row1 = LoadFirst(x1, in_w);
#pragma GCC unroll 5
    for (int k = 0; k < K; ++k) {
      const Vec tap = LookUp(row0, row1, taps[k]);
#pragma GCC unroll 8
      for (int r = 0; r < R; ++r) {
        const int tap_row = i - S * r;
        if (tap_row >= 0 && tap_row < K) acc[r] = Fma(tap, weights[tap_row * K + k], acc[r]);
      }
    }
  }
  const Vec lo = Set(a.lo), hi = Set(a.hi);
  Element* const y0 = pair.y[0] + static_cast<ptrdiff_t>(row) * out_w;
  Element* const y1 = pair.y[1] + static_cast<ptrdiff_t>(row) * out_w;
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) {
    StoreHalves(y0 + r * out_w, y1 + r * out_w, Min(hi, Max(lo, acc[r])), out_w);
  }
}

// As DepthwiseDirect, of planes whose rows fit a vector and half a vector of outputs.
template <int K, int S>
void DepthwiseTwoChannels(const DepthwiseDirectArgs& a) {
  constexpr int kRows = 7;  // of 7 x 7 and 14 x 14 planes nothing is left
  PairIndex taps[K];
  for (int k = 0; k < K; ++k) taps[k] = PairIndexOf(k - a.pad_left, S, a.in_w);
  for (int c = 0; c < a.channels; c += 2) {
    const int both[2] = {c, c + 1 < a.channels ? c + 1 : c};
    ChannelPair<K> pair;
    for (int i = 0; i < 2; ++i) {
      pair.x[i] = AsElements(a.x) + both[i] * a.x_stride;
      pair.y[i] = AsElements(a.y) + both[i] * a.y_stride;
      pair.weights[i] = AsElements(a.weights) + K * K * both[i];
    }
    const Element* const bias = AsElements(a.bias);
    pair.bias = SetHalves(bias[both[0]], bias[both[1]]);
    int row = a.first_row;
    for (; row + kRows <= a.end_row; row += kRows) PairBlock<K, S, kRows>(a, pair, taps, row);
    for (; row + 2 <= a.end_row; row += 2) PairBlock<K, S, 2>(a, pair, taps, row);
    for (; row < a.end_row; ++row) PairBlock<K, S, 1>(a, pair, taps, row);
  }
}

}  // namespace
}  // namespace SBNN_ISA
}  // namespace sbnn
