// Depthwise convolution of one channel: any window from padded rows, and 3 x 3 or 5 x 5 straight
// from the panel, where masks make the zeros at the sides.
#ifndef SBNN_DELEGATE_KERNELS_DEPTHWISE_INL_H_
#define SBNN_DELEGATE_KERNELS_DEPTHWISE_INL_H_

#include "delegate/kernels/kernels.h"
#include "delegate/kernels/vec/vec.h"

namespace sbnn {
namespace SBNN_ISA {
namespace {

// Of a plane, what stays in the L1 cache from one column of vectors to the next; and the least rows
// of a column that are worth its beginning.
constexpr ptrdiff_t kCachedElements = 8192;
constexpr int kLeastRows = 16;

// Stores `left` pixels of a row. A whole vector is stored if it ends before `end`, where the rows
// of this call end: what spills over the end of the row are pixels of the next ones, which are
// written later. (Partial stores are slow on several CPUs.)
SBNN_INLINE void StorePixels(Element* y, Vec v, int left, const Element* end) {
  if (left >= Vec::kLanes || end - y >= Vec::kLanes) {
    Store(y, v);
  } else {
    StoreFirst(y, v, left);
  }
}

// Any number of taps anywhere; two vectors side by side to hide the latency of the FMA.
void Depthwise(const DepthwiseArgs& a) {
  constexpr int L = Vec::kLanes;
  const Vec lo = Set(a.lo), hi = Set(a.hi), bias = Set(a.bias);
  const Element* const weights = AsElements(a.weights);
  Element* const first = AsElements(a.y);
  const Element* const end = first + static_cast<size_t>(a.rows - 1) * a.y_row_stride + a.width;
  for (int row = 0; row < a.rows; ++row) {
    const Element* x = AsElements(a.x) + static_cast<size_t>(row) * a.stride * a.x_row_stride;
    Element* y = first + static_cast<size_t>(row) * a.y_row_stride;
    int left = a.width;
    for (; left > L; left -= 2 * L, x += 2 * L, y += 2 * L) {
      Vec acc0 = bias, acc1 = bias;
      for (int t = 0; t < a.taps; ++t) {
        const Element* p = x + a.tap_offset[t];
        acc0 = FmaScalar(Load(p), weights[t], acc0);
        acc1 = FmaScalar(Load(p + L), weights[t], acc1);
      }
      Store(y, Min(hi, Max(lo, acc0)));
      StorePixels(y + L, Min(hi, Max(lo, acc1)), left - L, end);
    }
    if (left > 0) {
      Vec acc = bias;
      for (int t = 0; t < a.taps; ++t) acc = FmaScalar(Load(x + a.tap_offset[t]), weights[t], acc);
      StorePixels(y, Min(hi, Max(lo, acc)), left, end);
    }
  }
}

// The weights of a channel: in registers where there are enough of them for weights,
// accumulators and taps.
template <int N>
struct Weights {
  SBNN_INLINE explicit Weights(const Element* w) : memory(w) {
    if constexpr (kInRegisters) {
#pragma GCC unroll 25
      for (int i = 0; i < N; ++i) registers[i] = Keep(Set(w[i]));
    }
  }
  SBNN_INLINE Vec Fma(Vec a, int i, Vec c) const {
    if constexpr (kInRegisters) return SBNN_ISA::Fma(a, registers[i], c);
    return FmaScalar(a, memory[i], c);
  }
  // For use in one block: a few weights stay where they are, many are loaded now. (The compiler
  // would load them once a channel, and store them all on the stack.)
  SBNN_INLINE Weights Here() const {
    if constexpr (N <= 9) return *this;
    return Weights(Hide(memory));
  }

  static constexpr bool kInRegisters = N + 6 <= kRegisters;
  const Element* memory;
  Vec registers[kInRegisters ? N : 1];
};

// The K taps of an input row for a vector of outputs that begins at column x0: column
// S * (x0 + lane) + k - pad for tap k. Both readers take a pointer to the first of them.
template <int K>
SBNN_INLINE void Shifts(Vec a, Vec b, Vec taps[K]) {
  taps[0] = a;
  taps[1] = Shifted<1>(a, b);
  taps[2] = Shifted<2>(a, b);
  if constexpr (K == 5) {
    taps[3] = Shifted<3>(a, b);
    taps[4] = Shifted<4>(a, b);
  }
}

// Inside of the row, all of them exist ...
template <int K, int S>
struct InnerTaps {
  SBNN_INLINE InnerTaps(int x0, int pad) : first(S * x0 - pad) {}

  SBNN_INLINE void Read(const Element* p, Vec taps[K]) const {
    constexpr int L = Vec::kLanes;
    if constexpr (S == 2) {
      Deinterleave(Load(p), Load(p + L), &taps[0], &taps[1]);
      for (int k = 2; k < K; ++k) taps[k] = Shifted<1>(taps[k - 2], Set(p[2 * L + k - 2]));
    } else if constexpr (Vec::kShiftsCostLess) {
      Shifts<K>(Load(p), Load(p + L), taps);
    } else {
      for (int k = 0; k < K; ++k) taps[k] = Load(p + k);
    }
  }

  const ptrdiff_t first;
};

// ... at its ends, what lies outside of the row is zero, or else what Outside says.
struct Zeros {
  SBNN_INLINE Vec Inside(const Element* p, Mask mask) const { return LoadMasked(p, mask); }
  static constexpr Element value = 0;
};
template <int K, int S, typename Outside = Zeros>
struct EdgeTaps {
  SBNN_INLINE EdgeTaps(int x0, int pad, ptrdiff_t width, Outside outside = {})
      : first(S * x0 - pad), width(width), outside(outside) {
    for (int i = 0; i < kLoads; ++i) {
      const int start = static_cast<int>(first) + i * kStep;
      masks[i] = MaskOf(-start, static_cast<int>(width) - start);
    }
  }

  SBNN_INLINE void Read(const Element* p, Vec taps[K]) const {
    constexpr int L = Vec::kLanes;
    if constexpr (S == 2) {
      Deinterleave(outside.Inside(p, masks[0]), outside.Inside(p + L, masks[1]), &taps[0],
                   &taps[1]);
      for (int k = 2; k < K; ++k) {
        const ptrdiff_t last = first + 2 * L + k - 2;
        const Element value = last >= 0 && last < width ? p[2 * L + k - 2] : outside.value;
        taps[k] = Shifted<1>(taps[k - 2], Set(value));
      }
    } else if constexpr (Vec::kShiftsCostLess) {
      Shifts<K>(outside.Inside(p, masks[0]), outside.Inside(p + L, masks[1]), taps);
    } else {
      for (int k = 0; k < K; ++k) taps[k] = outside.Inside(p + k, masks[k]);
    }
  }

  static constexpr bool kWhole = S == 2 || Vec::kShiftsCostLess;
  static constexpr int kLoads = kWhole ? 2 : K;
  static constexpr int kStep = kWhole ? Vec::kLanes : 1;
  ptrdiff_t first, width;
  Outside outside;
  Mask masks[kLoads];
};

// What all channels of a call share; kept by value, so that stores leave it in registers.
template <int K, int S>
struct Plane {
  SBNN_INLINE explicit Plane(const DepthwiseDirectArgs& a)
      : in_h(static_cast<unsigned>(a.in_h)),
        in_w(a.in_w),
        out_w(a.out_w),
        pad_top(a.pad_top),
        pad_left(a.pad_left),
        last_x0((a.out_w - 1) / Vec::kLanes * Vec::kLanes),
        lo(a.lo),
        hi(a.hi),
        right(last_x0, a.pad_left, a.in_w) {}

  const unsigned in_h;
  const ptrdiff_t in_w, out_w;
  const int pad_top, pad_left, last_x0;
  const float lo, hi;
  const EdgeTaps<K, S> right;
};

template <int K>
struct Channel {
  const Element* x;
  Element* y;
  const Element* y_end;  // of the rows asked for
  Weights<K * K> weights;
  Vec bias;
};

// A column of output vectors, going down. Of output row r, sum[r % kUnderWay] is what the input
// rows so far give.
template <int K, int S>
struct Column {
  static constexpr int kUnderWay = (K + S - 1) / S;  // output rows that an input row may belong to
  static constexpr int kTurn = kUnderWay * S;        // input rows until all of them are others

  const Element* x;  // of the first tap
  Element* y;        // of the next output row to be completed
  int left;          // pixels from there to the end of the row
  int top;           // the first row of the image that the windows reach, and
  int rows;          // how many these are
  Vec sum[kUnderWay];

  // Input rows [row, row + kTurn), counted from the first that the windows reach. kPlain: all of
  // these rows exist, and what they complete are whole vectors of rows that are asked for.
  template <bool kPlain, typename Taps>
  SBNN_INLINE void Turn(const Plane<K, S>& plane, const Channel<K>& channel, const Taps& reader,
                        const Weights<K * K>& weights, const Vec& lo, const Vec& hi, int row) {
#pragma GCC unroll 6
    for (int u = 0; u < kTurn; ++u, x += plane.in_w) {
      if (!kPlain && row + u >= rows) return;
      if (u % S == 0) sum[u / S] = channel.bias;
      if (kPlain || static_cast<unsigned>(top + row + u) < plane.in_h) {
        Vec taps[K];
        reader.Read(x, taps);
#pragma GCC unroll 5
        for (int k = 0; k < K; ++k) {
#pragma GCC unroll 5
          for (int tap_row = u % S; tap_row < K; tap_row += S) {
            Vec& s = sum[(u - tap_row + kTurn) / S % kUnderWay];
            s = weights.Fma(taps[k], tap_row * K + k, s);
          }
        }
#if defined(__wasm__)
        // (Or the compiler keeps the taps of three rows, and leaves it all to the last.)
        for (Vec& s : sum) s = {Hide(s.v)};
#endif
      }
      if ((u - (K - 1) + kTurn) % S != 0 || (!kPlain && row + u < K - 1)) continue;
      const Vec result = Min(hi, Max(lo, sum[(u - (K - 1) + kTurn) / S % kUnderWay]));
      // A whole vector may spill over the end of its row: those are pixels of rows written later.
      // But nothing behind the rows asked for. (Partial stores are slow on several CPUs.)
      if (kPlain || left >= Vec::kLanes || channel.y_end - y >= Vec::kLanes) {
        Store(y, result);
      } else {
        StoreFirst(y, result, left);
      }
      y += plane.out_w;
    }
  }
};

// Output rows [first_row, end_row) of the vector at column x0: each input row is read once.
template <int K, int S, typename Taps>
SBNN_INLINE void RunColumn(const Plane<K, S>& plane, const Channel<K>& channel, const Taps& reader,
                           int first_row, int end_row, int x0) {
  constexpr int kTurn = Column<K, S>::kTurn;
  Column<K, S> column;
  column.left = static_cast<int>(plane.out_w) - x0;
  column.top = first_row * S - plane.pad_top;
  column.rows = (end_row - first_row - 1) * S + K;
  column.x = Hide(channel.x + column.top * plane.in_w + reader.first);
  column.y = channel.y + first_row * plane.out_w + x0;
#pragma GCC unroll 5
  for (Vec& sum : column.sum) sum = channel.bias;
  const Weights<K * K> weights = channel.weights.Here();
  const Vec lo = Set(plane.lo), hi = Set(plane.hi);
  const int inside = static_cast<int>(plane.in_h) - column.top;
  const int end = inside < column.rows ? inside : column.rows;
  for (int row = 0; row < column.rows; row += kTurn) {
    const Element* const last = column.y + (kTurn / S - 1) * plane.out_w;
    const bool plain = row >= K - 1 && row >= -column.top && row + kTurn <= end &&
                       (column.left >= Vec::kLanes || channel.y_end - last >= Vec::kLanes);
    if (plain) {
      column.template Turn<true>(plane, channel, reader, weights, lo, hi, row);
    } else {
      column.template Turn<false>(plane, channel, reader, weights, lo, hi, row);
    }
  }
}

template <int K, int S>
SBNN_INLINE void RunRows(const Plane<K, S>& plane, const Channel<K>& channel, int first_row,
                         int end_row) {
  constexpr int L = Vec::kLanes;
  const int pad = plane.pad_left;
  // From right to left, so that what a row spills into the next is overwritten by that.
  RunColumn(plane, channel, plane.right, first_row, end_row, plane.last_x0);
  for (int x0 = plane.last_x0 - L; x0 >= 0; x0 -= L) {
    if (S * x0 >= pad && S * (x0 + L - 1) + K - 1 - pad < plane.in_w) {
      RunColumn(plane, channel, InnerTaps<K, S>(x0, pad), first_row, end_row, x0);
    } else {
      RunColumn(plane, channel, EdgeTaps<K, S>(x0, pad, plane.in_w), first_row, end_row, x0);
    }
  }
}

template <int K, int S>
void DepthwiseDirect(const DepthwiseDirectArgs& a) {
  const Plane<K, S> plane(a);
  const Element* const weights = AsElements(a.weights);
  const Element* const bias = AsElements(a.bias);
  const int end_row = a.end_row;
  const int fitting = static_cast<int>(kCachedElements / plane.in_w / S);
  const int step = fitting > kLeastRows ? fitting : kLeastRows;
  for (int c = 0; c < a.channels; ++c) {
    Element* const y = AsElements(a.y) + c * a.y_stride;
    const Channel<K> channel{AsElements(a.x) + c * a.x_stride, y, y + end_row * plane.out_w,
                             Weights<K * K>(weights + K * K * c), Set(bias[c])};
    for (int row = a.first_row; row < end_row; row += step) {
      RunRows<K, S>(plane, channel, row, end_row - row < step ? end_row : row + step);
    }
  }
}

}  // namespace
}  // namespace SBNN_ISA
}  // namespace sbnn

#endif  // SBNN_DELEGATE_KERNELS_DEPTHWISE_INL_H_
