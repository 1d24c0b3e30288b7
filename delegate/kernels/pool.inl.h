// Maximum and average over windows, from padded rows of one channel.
#include "delegate/kernels/depthwise.inl.h"
#include "delegate/kernels/kernels.h"
#include "delegate/kernels/vec/vec.h"

namespace sbnn {
namespace SBNN_ISA {
namespace {

// N vectors, side by side, over all taps.
template <bool kAverage, int N>
SBNN_INLINE void PoolTaps(const PoolArgs& a, const Element* x, Vec* acc) {
  for (int v = 0; v < N; ++v) acc[v] = Load(x + a.tap_offset[0] + v * Vec::kLanes);
  for (int t = 1; t < a.taps; ++t) {
    const Element* const p = x + a.tap_offset[t];
    for (int v = 0; v < N; ++v) {
      const Vec tap = Load(p + v * Vec::kLanes);
      acc[v] = kAverage ? Add(acc[v], tap) : Max(acc[v], tap);
    }
  }
}

template <bool kAverage>
SBNN_INLINE void PoolRows(const PoolArgs& a) {
  constexpr int L = Vec::kLanes, N = 4;
  const Vec lo = Set(a.lo), hi = Set(a.hi);
  const Element* const row_scale = AsElements(a.row_scale);
  const Element* const column_scale = AsElements(a.column_scale);
  Element* const first = AsElements(a.y);
  const Element* const end = first + static_cast<size_t>(a.rows - 1) * a.y_row_stride + a.width;
  for (int row = 0; row < a.rows; ++row) {
    const Element* const x = AsElements(a.x) + static_cast<size_t>(row) * a.stride * a.x_row_stride;
    Element* const y = first + static_cast<size_t>(row) * a.y_row_stride;
    const Vec scale = kAverage ? Set(row_scale[row]) : lo;
    int x0 = 0;
    for (; x0 + N * L <= a.width; x0 += N * L) {
      Vec acc[N];
      PoolTaps<kAverage, N>(a, x + x0, acc);
      for (int v = 0; v < N; ++v) {
        if (kAverage) acc[v] = Mul(acc[v], Mul(Load(column_scale + x0 + v * L), scale));
        Store(y + x0 + v * L, Min(hi, Max(lo, acc[v])));
      }
    }
    for (; x0 < a.width; x0 += L) {
      Vec acc;
      PoolTaps<kAverage, 1>(a, x + x0, &acc);
      const int left = a.width - x0;
      if (kAverage) {
        const Element* const p = column_scale + x0;
        acc = Mul(acc, Mul(left >= L ? Load(p) : LoadFirst(p, left), scale));
      }
      StorePixels(y + x0, Min(hi, Max(lo, acc)), left, end);
    }
  }
}

void Pool(const PoolArgs& a) {
  if (a.column_scale != nullptr) {
    PoolRows<true>(a);
  } else {
    PoolRows<false>(a);
  }
}

}  // namespace
}  // namespace SBNN_ISA
}  // namespace sbnn
