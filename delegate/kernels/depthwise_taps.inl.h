// Depthwise convolution with the taps that are left of a window, straight from the panel: a tap is
// a load of the pixels that it shifts under a vector of outputs. The dense kernels load a row once
// for all of its taps and are faster unless most taps are gone.
#include "delegate/kernels/kernels.h"
#include "delegate/kernels/vec/vec.h"

namespace sbnn {
namespace SBNN_ISA {
namespace {

struct TapsChannel {
  const Element* x;
  Element* y;
  const Element* y_end;  // of the rows asked for
  const TapShift* first;
  const TapShift* end;
  const Element* weights;
  Vec bias;
};

// R output rows of the vector at column x0. kInner: all taps fall on pixels of the image. Else
// `masks` say by column, from a.least.column on, for which lanes they do.
template <int R, bool kInner>
SBNN_INLINE void TapsBlock(const DepthwiseTapsArgs& a, const TapsChannel& channel,
                           const Mask* masks, int row, int x0) {
  constexpr int L = Vec::kLanes;
  const ptrdiff_t in_w = a.in_w, out_w = a.out_w;
  Vec acc[R];
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) acc[r] = channel.bias;
  const Element* w = channel.weights;
  for (const TapShift* tap = channel.first; tap != channel.end; ++tap, ++w) {
    const int top = row + tap->row;
    const Element* const x = channel.x + top * in_w + x0 + tap->column;
    const Vec weight = Set(*w);
    if constexpr (kInner) {
#pragma GCC unroll 8
      for (int r = 0; r < R; ++r) acc[r] = Fma(Load(x + r * in_w), weight, acc[r]);
    } else {
      const Mask inside = masks[tap->column - a.least.column];
#pragma GCC unroll 8
      for (int r = 0; r < R; ++r) {
        if (static_cast<unsigned>(top + r) >= static_cast<unsigned>(a.in_h)) continue;
        acc[r] = Fma(LoadMasked(x + r * in_w, inside), weight, acc[r]);
      }
    }
  }
  const Vec lo = Set(a.lo), hi = Set(a.hi);
  Element* const y = channel.y + row * out_w + x0;
  const int left = a.out_w - x0;
  // As in depthwise.inl.h: what spills over the end of a row is written later.
  const bool whole = left >= L || channel.y_end - (y + (R - 1) * out_w) >= L;
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) {
    const Vec v = Min(hi, Max(lo, acc[r]));
    whole ? Store(y + r * out_w, v) : StoreFirst(y + r * out_w, v, left);
  }
}

template <int R>
SBNN_INLINE void TapsRows(const DepthwiseTapsArgs& a, const TapsChannel& channel, const Mask* masks,
                          bool columns_inside, int row, int x0) {
  if (columns_inside && row + a.least.row >= 0 && row + R - 1 + a.most.row < a.in_h) {
    TapsBlock<R, true>(a, channel, masks, row, x0);
  } else {
    TapsBlock<R, false>(a, channel, masks, row, x0);
  }
}

void DepthwiseTaps(const DepthwiseTapsArgs& a) {
  constexpr int L = Vec::kLanes, kRows = kRegisters == 32 ? 7 : 4;
  const Element* const bias = AsElements(a.bias);
  for (int c = 0; c < a.channels; ++c) {
    Element* const y = AsElements(a.y) + c * a.y_stride;
    const uint32_t first = a.tap_begin[c];
    const TapsChannel channel{AsElements(a.x) + c * a.x_stride,
                              y,
                              y + static_cast<ptrdiff_t>(a.end_row) * a.out_w,
                              a.taps + first,
                              a.taps + a.tap_begin[c + 1],
                              AsElements(a.weights) + first,
                              Set(bias[c])};
    // From right to left, so that what a row spills into the next is overwritten by that.
    for (int x0 = (a.out_w - 1) / L * L; x0 >= 0; x0 -= L) {
      Mask masks[kMaxTapColumns];
      for (int column = a.least.column; column <= a.most.column; ++column) {
        masks[column - a.least.column] = MaskOf(-(x0 + column), a.in_w - (x0 + column));
      }
      const bool inside = x0 + a.least.column >= 0 && x0 + L - 1 + a.most.column < a.in_w;
      int row = a.first_row;
      for (; row + kRows <= a.end_row; row += kRows) {
        TapsRows<kRows>(a, channel, masks, inside, row, x0);
      }
      for (; row + 2 <= a.end_row; row += 2) TapsRows<2>(a, channel, masks, inside, row, x0);
      for (; row < a.end_row; ++row) TapsRows<1>(a, channel, masks, inside, row, x0);
    }
  }
}

}  // namespace
}  // namespace SBNN_ISA
}  // namespace sbnn
