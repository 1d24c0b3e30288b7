// Depthwise convolution over padded rows of one channel.
#include "delegate/kernels/kernels.h"
#include "delegate/kernels/vec.h"

namespace sbnn {
namespace SBNN_ISA {
namespace {

SBNN_INLINE void StorePixels(float* y, Vec v, int left) {
  if (left >= Vec::kLanes) {
    Store(y, v);
  } else {
    StoreFirst(y, v, left);
  }
}

// Any number of taps anywhere; two vectors side by side to hide the latency of the FMA.
void Depthwise(const DepthwiseArgs& a) {
  constexpr int L = Vec::kLanes;
  const Vec lo = Set(a.lo), hi = Set(a.hi), bias = Set(a.bias);
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
      Store(y, Min(Max(acc0, lo), hi));
      StorePixels(y + L, Min(Max(acc1, lo), hi), left - L);
    }
    if (left > 0) {
      Vec acc = bias;
      for (int t = 0; t < a.taps; ++t) acc = FmaScalar(Load(x + a.tap_offset[t]), a.weights[t], acc);
      StorePixels(y, Min(Max(acc, lo), hi), left);
    }
  }
}

// R output rows at once: each input row is loaded once for all the output rows that it reaches.
template <int S, int R>
SBNN_INLINE void Strip3x3(const DepthwiseArgs& a, int row) {
  constexpr int L = Vec::kLanes;
  constexpr int kInputRows = S * (R - 1) + 3;
  const Vec lo = Set(a.lo), hi = Set(a.hi), bias = Set(a.bias);
  Vec w[9];
#pragma GCC unroll 9
  for (int t = 0; t < 9; ++t) w[t] = Set(a.weights[t]);
  const float* x = a.x + static_cast<size_t>(row) * S * a.x_row_stride;
  float* y = a.y + static_cast<size_t>(row) * a.y_row_stride;
  for (int left = a.width; left > 0; left -= L, x += L, y += L) {
    Vec acc[R];
#pragma GCC unroll 4
    for (int r = 0; r < R; ++r) acc[r] = bias;
#pragma GCC unroll 9
    for (int i = 0; i < kInputRows; ++i) {
#pragma GCC unroll 3
      for (int k = 0; k < 3; ++k) {
        const Vec v = Load(x + i * a.x_row_stride + a.tap_offset[k]);
#pragma GCC unroll 4
        for (int r = 0; r < R; ++r) {
          const int tap_row = i - S * r;
          if (tap_row >= 0 && tap_row < 3) acc[r] = Fma(v, w[tap_row * 3 + k], acc[r]);
        }
      }
    }
#pragma GCC unroll 4
    for (int r = 0; r < R; ++r) {
      StorePixels(y + r * a.y_row_stride, Min(Max(acc[r], lo), hi), left);
    }
  }
}

template <int S>
void Depthwise3x3(const DepthwiseArgs& a) {
  int row = 0;
  for (; row + 4 <= a.rows; row += 4) Strip3x3<S, 4>(a, row);
  if (row + 2 <= a.rows) {
    Strip3x3<S, 2>(a, row);
    row += 2;
  }
  if (row < a.rows) Strip3x3<S, 1>(a, row);
}

}  // namespace
}  // namespace SBNN_ISA
}  // namespace sbnn
