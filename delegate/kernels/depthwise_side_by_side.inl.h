// Depthwise convolution for short vectors: two of them side by side, 3 x 3 or 5 x 5 straight from
// the panel. With one vector, the steps and tests beside it would take as long as its arithmetic.
#ifndef SBNN_DELEGATE_KERNELS_DEPTHWISE_SIDE_BY_SIDE_INL_H_
#define SBNN_DELEGATE_KERNELS_DEPTHWISE_SIDE_BY_SIDE_INL_H_

#include "delegate/kernels/depthwise.inl.h"
#include "delegate/kernels/kernels.h"
#include "delegate/kernels/vec/vec.h"

namespace sbnn {
namespace SBNN_ISA {
namespace {

// The K taps of an input row for V vectors of outputs that begin at column x0: column
// S * (x0 + lane) + k - pad for tap k. Inside of the row all of them exist.
template <int K, int S, int V>
struct InnerTwos {
  static constexpr int kVectors = V;

  SBNN_INLINE InnerTwos(int x0, int pad) : first(S * x0 - pad) {}

  // p: the first of them.
  SBNN_INLINE void Read(const Element* p, Vec (&taps)[V][K]) const {
    constexpr int L = Vec::kLanes;
    if constexpr (S == 1) {
#pragma GCC unroll 5
      for (int k = 0; k < K; ++k) {
#pragma GCC unroll 2
        for (int v = 0; v < V; ++v) taps[v][k] = Load(p + v * L + k);
      }
    } else {
#pragma GCC unroll 2
      for (int v = 0; v < V; ++v, p += 2 * L) {
        Deinterleave(Load(p), Load(p + L), &taps[v][0], &taps[v][1]);
      }
#pragma GCC unroll 3
      for (int k = 2; k < K; ++k) {
#pragma GCC unroll 2
        for (int v = 0; v < V; ++v) {
          const Vec next = v + 1 < V ? taps[v + 1][k - 2] : Load(p + k - 2);
          taps[v][k] = Shifted<1>(taps[v][k - 2], next);
        }
      }
    }
  }

  const ptrdiff_t first;
};

// At a row's ends, where a window reaches at most half of itself over them, as with any usual
// padding: few taps can lie outside, and only these are masked.
template <int K, int S, int V>
struct SideTwos {
  static constexpr int kVectors = V;

  // Vector 0 is the first one of a row, or vector V - 1 the last one, or both.
  SBNN_INLINE SideTwos(int x0, int pad, int width) : first(S * x0 - pad) {
    for (int v = 0; v < V; ++v) {
      for (int k = 0; k < K; ++k) {
        if (!MayBeOutside(v, k)) continue;
        // Columns column + S * lane are inside from 0 up to below width.
        const int column = S * (x0 + v * Vec::kLanes) + k - pad;
        const int before = column < 0 ? (-column + S - 1) / S : 0;
        const int end = column < width ? (width - column + S - 1) / S : 0;
        masks[v][k] = MaskOf(before, end);
      }
    }
  }

  SBNN_INLINE void Read(const Element* p, Vec (&taps)[V][K]) const {
    InnerTwos<K, S, V>(0, 0).Read(p, taps);
#pragma GCC unroll 2
    for (int v = 0; v < V; ++v) {
#pragma GCC unroll 5
      for (int k = 0; k < K; ++k) {
        if (MayBeOutside(v, k)) taps[v][k] = Masked(taps[v][k], masks[v][k]);
      }
    }
  }

  // Of a row's last vector, one lane may be all that is an output.
  static constexpr bool MayBeOutside(int v, int k) {
    return (v == 0 && k < K / 2) || (v == V - 1 && k > K / 2) || (v == V - 2 && k > K / 2 + S);
  }

  const ptrdiff_t first;
  Mask masks[V][K];
};

// A channel; of planes, what all of them share.
template <int K, int S>
struct TwosChannel {
  // R output rows of the reader's vectors. kInside: all their input rows exist. What addresses and
  // weights are made of is hidden, or the compiler would carry hundreds of them along on the stack.
  template <int R, bool kInside, typename Taps>
  SBNN_INLINE void Block(const Taps& taps_of, int row, int x0) const {
    constexpr int L = Vec::kLanes, V = Taps::kVectors;
    constexpr int kInputRows = S * (R - 1) + K;
    const int top = Hide(row * S - pad_top);
    const Element* p = Hide(x + top * in_w + taps_of.first);
    const Scalars<K * K> w(Hide(weights));
    const Element* start = bias;
    Vec acc[R][V];
#pragma GCC unroll 4
    for (int r = 0; r < R; ++r) {
#pragma GCC unroll 2
      for (int v = 0; v < V; ++v) {
        // Loaded again and again, as copies of a register would be arithmetic. (Volatile: or it is
        // done once.)
        __asm__ volatile("" : "+r"(start));
        acc[r][v] = Load(start);
      }
    }
#pragma GCC unroll 16
    for (int i = 0; i < kInputRows; ++i, p += in_w) {
      if (!kInside && static_cast<unsigned>(top + i) >= in_h) continue;
      Vec taps[V][K];
      taps_of.Read(p, taps);
#pragma GCC unroll 5
      for (int k = 0; k < K; ++k) {
#pragma GCC unroll 4
        for (int r = 0; r < R; ++r) {
          const int tap_row = i - S * r;
          if (tap_row < 0 || tap_row >= K) continue;
#pragma GCC unroll 2
          for (int v = 0; v < V; ++v) {
            acc[r][v] = FmaScalar(taps[v][k], w[tap_row * K + k], acc[r][v]);
          }
        }
      }
    }
#pragma GCC unroll 4
    for (int r = 0; r < R; ++r) {
#pragma GCC unroll 2
      for (int v = 0; v < V; ++v) acc[r][v] = Max(lo, acc[r][v]);
    }
#pragma GCC unroll 4
    for (int r = 0; r < R; ++r) {
#pragma GCC unroll 2
      for (int v = 0; v < V; ++v) acc[r][v] = Min(hi, acc[r][v]);
    }
    Element* to = Hide(y + row * out_w + x0);
    const int left = static_cast<int>(out_w) - x0 - (V - 1) * L;  // for the last vector
    const bool whole = left >= L || y_end - (to + (R - 1) * out_w) >= V * L;
#pragma GCC unroll 4
    for (int r = 0; r < R; ++r, to += out_w) {
#pragma GCC unroll 2
      for (int v = 0; v < V; ++v) {
        if (v < V - 1 || whole) {
          Store(to + v * L, acc[r][v]);
        } else {
          StoreFirst(to + v * L, acc[r][v], left);
        }
      }
    }
  }

  // From right to left: what a vector spills over the end of its row are pixels of the next one,
  // and written later. (But nothing is written behind the rows asked for.)
  template <int R, bool kInside>
  SBNN_INLINE void Strip(int row) const {
    constexpr int L = Vec::kLanes;
    int x0 = last_x0 - L;
    Block<R, kInside>(right, row, x0);
    for (x0 -= 2 * L; x0 > 0; x0 -= 2 * L) {
      Block<R, kInside>(InnerTwos<K, S, 2>(x0, pad_left), row, x0);
    }
    if (x0 == 0) Block<R, kInside>(left, row, 0);
    if (x0 == -L) Block<R, kInside>(left_one, row, 0);
  }

  SBNN_INLINE void Rows(int row, int end_row) const {
    while (row < end_row) {
      const int top = row * S - pad_top;
      if (top >= 0 && row + 4 <= end_row && top + 3 * S + K <= static_cast<int>(in_h)) {
        Strip<4, true>(row);
        row += 4;
      } else if (row + 2 <= end_row) {
        Strip<2, false>(row);
        row += 2;
      } else {
        Strip<1, false>(row);
        row += 1;
      }
    }
  }

  const unsigned in_h;
  const ptrdiff_t in_w, out_w;
  const int pad_top, pad_left, last_x0;
  const Vec lo, hi;
  const SideTwos<K, S, 2> right, left;
  const SideTwos<K, S, 1> left_one;

  const Element* x;
  Element* y;
  const Element* y_end;  // of the rows asked for
  const Element* weights;
  const Element* bias;  // a vector of it
};

// As DepthwiseDirect.
template <int K, int S>
void DepthwiseSideBySide(const DepthwiseDirectArgs& a) {
  constexpr int L = Vec::kLanes;
  const int last_x0 = (a.out_w - 1) / L * L;
  const bool usual =
      a.pad_left <= K / 2 && S * (a.out_w - 1) + K - 1 - a.pad_left - (a.in_w - 1) <= K / 2;
  if (last_x0 == 0 || !usual) return DepthwiseDirect<K, S>(a);
  Element bias[L];
  TwosChannel<K, S> channel = {static_cast<unsigned>(a.in_h),
                               a.in_w,
                               a.out_w,
                               a.pad_top,
                               a.pad_left,
                               last_x0,
                               Set(a.lo),
                               Set(a.hi),
                               SideTwos<K, S, 2>(last_x0 - L, a.pad_left, a.in_w),
                               SideTwos<K, S, 2>(0, a.pad_left, a.in_w),
                               SideTwos<K, S, 1>(0, a.pad_left, a.in_w),
                               nullptr,
                               nullptr,
                               nullptr,
                               nullptr,
                               bias};
  for (int c = 0; c < a.channels; ++c) {
    channel.x = AsElements(a.x) + c * a.x_stride;
    channel.y = AsElements(a.y) + c * a.y_stride;
    channel.y_end = channel.y + a.end_row * channel.out_w;
    channel.weights = AsElements(a.weights) + K * K * c;
    Store(bias, Set(AsElements(a.bias)[c]));
    channel.Rows(a.first_row, a.end_row);
  }
}

}  // namespace
}  // namespace SBNN_ISA
}  // namespace sbnn

#endif  // SBNN_DELEGATE_KERNELS_DEPTHWISE_SIDE_BY_SIDE_INL_H_
