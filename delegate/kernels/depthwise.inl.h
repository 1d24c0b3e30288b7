// Depthwise convolution of one channel: any window from padded rows, and 3 x 3 straight from the
// panel, where masks make the zeros at the sides.
#ifndef SBNN_DELEGATE_KERNELS_DEPTHWISE_INL_H_
#define SBNN_DELEGATE_KERNELS_DEPTHWISE_INL_H_

#include "delegate/kernels/kernels.h"
#include "delegate/kernels/vec.h"

namespace sbnn {
namespace SBNN_ISA {
namespace {

// Stores `left` pixels of a row. A whole vector is stored if it ends before `end`, where the rows
// of this call end: what spills over the end of the row are pixels of the next ones, which are
// written later. (Partial stores are slow on several CPUs.)
SBNN_INLINE void StorePixels(float* y, Vec v, int left, const float* end) {
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
  const float* const end = a.y + static_cast<size_t>(a.rows - 1) * a.y_row_stride + a.width;
  for (int row = 0; row < a.rows; ++row) {
    const float* x = a.x + static_cast<size_t>(row) * a.stride * a.x_row_stride;
    float* y = a.y + static_cast<size_t>(row) * a.y_row_stride;
    int left = a.width;
    for (; left > L; left -= 2 * L, x += 2 * L, y += 2 * L) {
      Vec acc0 = bias, acc1 = bias;
      for (int t = 0; t < a.taps; ++t) {
        const float* p = x + a.tap_offset[t];
        acc0 = FmaScalar(Load(p), a.weights[t], acc0);
        acc1 = FmaScalar(Load(p + L), a.weights[t], acc1);
      }
      Store(y, Min(hi, Max(lo, acc0)));
      StorePixels(y + L, Min(hi, Max(lo, acc1)), left - L, end);
    }
    if (left > 0) {
      Vec acc = bias;
      for (int t = 0; t < a.taps; ++t)
        acc = FmaScalar(Load(x + a.tap_offset[t]), a.weights[t], acc);
      StorePixels(y, Min(hi, Max(lo, acc)), left, end);
    }
  }
}

// The three taps of an input row for a vector of outputs that begins at column x0: column
// S * (x0 + lane) + k - pad for tap k. Inside of the row, all of them exist ...
template <int S>
struct InnerTaps {
  SBNN_INLINE InnerTaps(int x0, int pad) : first(S * x0 - pad) {}

  SBNN_INLINE void Read(const float* row, Vec taps[3]) const {
    constexpr int L = Vec::kLanes;
    const float* const p = row + first;
    if constexpr (S == 1) {
      for (int k = 0; k < 3; ++k) taps[k] = Load(p + k);
    } else {
      Vec unused;
      Deinterleave(Load(p), Load(p + L), &taps[0], &taps[1]);
      Deinterleave(Load(p + 2), Load(p + 2 + L), &taps[2], &unused);
    }
  }

  ptrdiff_t first;
};

// ... at its ends, those outside of the row are zero.
template <int S>
struct EdgeTaps {
  SBNN_INLINE EdgeTaps(int x0, int pad, int width) : first(S * x0 - pad) {
    for (int i = 0; i < kLoads; ++i) {
      const int start = static_cast<int>(first) + Start(i);
      masks[i] = MaskOf(-start, width - start);
    }
  }

  SBNN_INLINE void Read(const float* row, Vec taps[3]) const {
    const float* const p = row + first;
    if constexpr (S == 1) {
      for (int k = 0; k < 3; ++k) taps[k] = LoadMasked(p + k, masks[k]);
    } else {
      Vec v[kLoads], unused;
      for (int i = 0; i < kLoads; ++i) v[i] = LoadMasked(p + Start(i), masks[i]);
      Deinterleave(v[0], v[1], &taps[0], &taps[1]);
      Deinterleave(v[2], v[3], &taps[2], &unused);
    }
  }

  static constexpr int kLoads = S == 1 ? 3 : 4;
  static SBNN_INLINE int Start(int load) {
    return S == 1 ? load : load % 2 * Vec::kLanes + load / 2 * 2;
  }
  ptrdiff_t first;
  Mask masks[kLoads];
};

// One channel of Depthwise3x3Args.
struct Channel {
  const float* x;
  float* y;
  const float* y_end;  // of the rows asked for
  const float* weights;
  float bias;
};

// R output rows of one vector: each input row is read once for all the output rows that it reaches.
template <int S, int R, typename Taps>
SBNN_INLINE void Block3x3(const Depthwise3x3Args& a, const Channel& channel, const Taps& reader,
                          int row, int x0) {
  constexpr int kInputRows = S * (R - 1) + 3;
  const Vec lo = Set(a.lo), hi = Set(a.hi), bias = Set(channel.bias);
  const ptrdiff_t in_w = a.in_w;
  const float* const first = channel.x + (row * S - a.pad_top) * in_w;
  Vec acc[R];
#pragma GCC unroll 4
  for (int r = 0; r < R; ++r) acc[r] = bias;
#pragma GCC unroll 9
  for (int i = 0; i < kInputRows; ++i) {
    Vec taps[3];
    reader.Read(first + i * in_w, taps);
#pragma GCC unroll 3
    for (int k = 0; k < 3; ++k) {
#pragma GCC unroll 4
      for (int r = 0; r < R; ++r) {
        const int tap_row = i - S * r;
        if (tap_row >= 0 && tap_row < 3) {
          acc[r] = FmaScalar(taps[k], channel.weights[tap_row * 3 + k], acc[r]);
        }
      }
    }
  }
  float* const y = channel.y + static_cast<size_t>(row) * a.out_w + x0;
#pragma GCC unroll 4
  for (int r = 0; r < R; ++r) {
    StorePixels(y + static_cast<size_t>(r) * a.out_w, Min(hi, Max(lo, acc[r])), a.out_w - x0,
                channel.y_end);
  }
}

// What all rows and channels of a call share.
template <int S>
struct Row {
  SBNN_INLINE explicit Row(const Depthwise3x3Args& a)
      : last_x0((a.out_w - 1) / Vec::kLanes * Vec::kLanes),
        left(0, a.pad_left, a.in_w),
        right(last_x0, a.pad_left, a.in_w) {}

  const int last_x0;
  const EdgeTaps<S> left, right;
};

template <int S, int R>
SBNN_INLINE void Strip3x3(const Depthwise3x3Args& a, const Channel& channel, const Row<S>& shared,
                          int row) {
  constexpr int L = Vec::kLanes;
  // From right to left, so that what a row spills into the next is overwritten by that.
  Block3x3<S, R>(a, channel, shared.right, row, shared.last_x0);
  for (int x0 = shared.last_x0 - L; x0 > 0; x0 -= L) {
    if (S * x0 >= a.pad_left && S * (x0 + L - 1) + 2 - a.pad_left < a.in_w) {
      Block3x3<S, R>(a, channel, InnerTaps<S>(x0, a.pad_left), row, x0);
    } else {
      Block3x3<S, R>(a, channel, EdgeTaps<S>(x0, a.pad_left, a.in_w), row, x0);
    }
  }
  if (shared.last_x0 > 0) Block3x3<S, R>(a, channel, shared.left, row, 0);
}

// One output row whose window reaches over the top or the bottom.
template <int S>
SBNN_INLINE void EdgeRow3x3(const Depthwise3x3Args& a, const Channel& channel, const Row<S>& shared,
                            int row) {
  constexpr int L = Vec::kLanes;
  const Vec lo = Set(a.lo), hi = Set(a.hi);
  const int top = row * S - a.pad_top;
  const int first = top < 0 ? -top : 0;
  const int end = top + 3 > a.in_h ? a.in_h - top : 3;
  float* const y = channel.y + static_cast<size_t>(row) * a.out_w;
  for (int x0 = 0; x0 < a.out_w; x0 += L) {
    const EdgeTaps<S> reader = x0 == 0                ? shared.left
                               : x0 == shared.last_x0 ? shared.right
                                                      : EdgeTaps<S>(x0, a.pad_left, a.in_w);
    Vec acc = Set(channel.bias);
    for (int i = first; i < end; ++i) {
      Vec taps[3];
      reader.Read(channel.x + static_cast<size_t>(top + i) * a.in_w, taps);
#pragma GCC unroll 3
      for (int k = 0; k < 3; ++k) acc = FmaScalar(taps[k], channel.weights[i * 3 + k], acc);
    }
    StorePixels(y + x0, Min(hi, Max(lo, acc)), a.out_w - x0, channel.y_end);
  }
}

template <int S>
void Depthwise3x3(const Depthwise3x3Args& a) {
  const Row<S> shared(a);
  // Output rows [inner, outer) have all their input rows.
  const int inner = (a.pad_top + S - 1) / S;
  const int fit = a.in_h - 3 + a.pad_top < 0 ? 0 : (a.in_h - 3 + a.pad_top) / S + 1;
  const int outer = a.end_row < fit ? a.end_row : fit;
  for (int c = 0; c < a.channels; ++c) {
    float* const y = a.y + c * a.y_stride;
    const Channel channel{a.x + c * a.x_stride, y, y + static_cast<size_t>(a.end_row) * a.out_w,
                          a.weights + 9 * c, a.bias[c]};
    int row = a.first_row;
    for (; row < a.end_row && row < inner; ++row) EdgeRow3x3<S>(a, channel, shared, row);
    for (; row + 4 <= outer; row += 4) Strip3x3<S, 4>(a, channel, shared, row);
    for (; row + 2 <= outer; row += 2) Strip3x3<S, 2>(a, channel, shared, row);
    for (; row < outer; ++row) Strip3x3<S, 1>(a, channel, shared, row);
    for (; row < a.end_row; ++row) EdgeRow3x3<S>(a, channel, shared, row);
  }
}

}  // namespace
}  // namespace SBNN_ISA
}  // namespace sbnn

#endif  // SBNN_DELEGATE_KERNELS_DEPTHWISE_INL_H_
