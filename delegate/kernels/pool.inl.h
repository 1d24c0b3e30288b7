// Maximum and average over windows, from padded rows of one channel or from planes as they are.
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

struct Outside {
  SBNN_INLINE explicit Outside(Element value) : value(value), vector(Set(value)) {}
  SBNN_INLINE Vec Inside(const Element* p, Mask mask) const { return Blend(mask, Load(p), vector); }
  Element value;
  Vec vector;
};

// A column of output vectors of one channel, going down: each input row is read once.
template <int K, int S, bool kAverage, typename Taps>
SBNN_INLINE void PoolColumn(const PoolDirectArgs& a, const Element* x, Element* y,
                            const Taps& reader, Vec outside, int x0) {
  const int left = a.out_w - x0;
  const ptrdiff_t in_w = a.in_w, out_w = a.out_w;
  const Element* const row_scale = AsElements(a.row_scale);
  const Element* const end = y + a.end_row * out_w;
  const Vec lo = Set(a.lo), hi = Set(a.hi);
  const Vec column_scale = kAverage ? Load(AsElements(a.column_scale) + x0) : lo;
  const auto reduce = [](Vec b, Vec c) { return kAverage ? Add(b, c) : Max(b, c); };
  const auto row = [&](int r) {
    if (static_cast<unsigned>(r) >= static_cast<unsigned>(a.in_h)) return outside;
    Vec taps[K];
    reader.Read(x + r * in_w + reader.first, taps);
    for (int k = 1; k < K; ++k) taps[0] = reduce(taps[0], taps[k]);
    return taps[0];
  };
  constexpr int kKept = K - S;  // rows that the next window meets too
  Vec rows[K];
  int r = a.first_row * S - a.pad_top;
  for (int k = 0; k < kKept; ++k) rows[k] = row(r++);
  for (int out = a.first_row; out < a.end_row; ++out) {
    for (int k = kKept; k < K; ++k) rows[k] = row(r++);
    Vec v = rows[0];
    for (int k = 1; k < K; ++k) v = reduce(v, rows[k]);
    if (kAverage) v = Mul(v, Mul(column_scale, Set(row_scale[out])));
    StorePixels(y + out * out_w + x0, Min(hi, Max(lo, v)), left, end);
    for (int k = 0; k < kKept; ++k) rows[k] = rows[k + S];
  }
}

template <int K, int S, bool kAverage>
SBNN_INLINE void PoolPlanes(const PoolDirectArgs& a) {
  constexpr int L = Vec::kLanes;
  const Outside outside(kAverage ? Element{0} : static_cast<Element>(a.outside));
  using Edge = EdgeTaps<K, S, Outside>;
  const int last = (a.out_w - 1) / L * L;
  const Edge right(last, a.pad_left, a.in_w, outside);
  for (int c = 0; c < a.channels; ++c) {
    const Element* const x = AsElements(a.x) + c * a.x_stride;
    Element* const y = AsElements(a.y) + c * a.y_stride;
    // From right to left, so that what a row spills into the next is overwritten by that.
    for (int x0 = last; x0 >= 0; x0 -= L) {
      // (WebAssembly's modules are small: one kind of column serves there.)
      const bool inside = S * x0 >= a.pad_left && S * (x0 + L - 1) + K - 1 - a.pad_left < a.in_w;
      if (!kOnWasm && inside) {
        PoolColumn<K, S, kAverage>(a, x, y, InnerTaps<K, S>(x0, a.pad_left), outside.vector, x0);
      } else {
        const Edge edge = x0 == last ? right : Edge(x0, a.pad_left, a.in_w, outside);
        PoolColumn<K, S, kAverage>(a, x, y, edge, outside.vector, x0);
      }
    }
  }
}

template <int K, int S>
void PoolDirect(const PoolDirectArgs& a) {
  if (a.column_scale != nullptr) {
    PoolPlanes<K, S, true>(a);
  } else {
    PoolPlanes<K, S, false>(a);
  }
}

}  // namespace
}  // namespace SBNN_ISA
}  // namespace sbnn
