// Depthwise convolution of quads. Four rows are interleaved, so that one instruction multiplies
// four taps of a column of the window, for four channels of a quarter's pixel; the columns beside
// it are the other vectors of the interleaving, and beyond the last one of it the next quarter.
#include "delegate/kernels/int8/kernels.h"

namespace sbnn {
namespace int8 {
namespace SBNN_ISA {
namespace {

// Which pixels of a stretch of the input lie in the image: all, none, or those of the first stretch
// or the last one.
template <class V>
struct Edges {
  SBNN_INLINE Edges(int width, int pad_left)
      : width(width), head(pad_left, width + pad_left), tail(0, (width + pad_left) % V::kLanes) {}
  SBNN_INLINE bool Whole(int first) const { return first >= 0 && first + V::kLanes <= width; }
  int width;
  typename V::Part head, tail;
};

// Rows of a stretch of the input, interleaved: kSets times four of them. v[s][k]: pixels 4 q + k.
template <class V, int kSets>
struct InterleavedRows {
  typename V::Bytes v[kSets][4];

  // Pixels [first, first + kLanes) of each row, `fill` where those are outside of the image.
  SBNN_INLINE void Load(const int8_t* const* rows, int first, const Edges<V>& edges,
                        typename V::Bytes fill) {
    if (first >= edges.width) {
#pragma GCC unroll 2
      for (int s = 0; s < kSets; ++s) {
#pragma GCC unroll 4
        for (int k = 0; k < 4; ++k) v[s][k] = fill;
      }
    } else if (edges.Whole(first)) {
      Interleave(rows, first, [](const int8_t* p) { return V::Load(p); });
    } else {
      const typename V::Part& part = first < 0 ? edges.head : edges.tail;
      Interleave(rows, first, [&](const int8_t* p) { return V::LoadPart(p, part, fill); });
    }
  }

  template <class LoadRow>
  SBNN_INLINE void Interleave(const int8_t* const* rows, int first, const LoadRow& load) {
#pragma GCC unroll 2
    for (int s = 0; s < kSets; ++s) {
      typename V::Bytes row[4];
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i)
        row[i] = load(rows[4 * s + i] + 4 * static_cast<ptrdiff_t>(first));
      V::template Interleave<0>(row, v[s]);
      V::template Interleave<1>(row, v[s]);
    }
  }
};

// Outputs whose window's first column is v[kFirst]; `next`: the vectors behind v's four.
template <class V, int K, int kSets, int kFirst>
SBNN_INLINE typename V::Sums DotWindow(typename V::Sums sums,
                                       const typename V::Quads (&x)[kSets][8],
                                       const typename V::Weights (&w)[kSets][K]) {
#pragma GCC unroll 2
  for (int s = 0; s < kSets; ++s) {
#pragma GCC unroll 5
    for (int t = 0; t < K; ++t) V::Dot(sums, x[s][kFirst + t], w[s][t]);
  }
  return sums;
}

// The columns of a stretch, and those of the next one that its windows reach.
template <class V, int kSets, int kReach>
SBNN_INLINE void Prepare(const InterleavedRows<V, kSets>& here,
                         const InterleavedRows<V, kSets>& next, typename V::Quads (&x)[kSets][8]) {
#pragma GCC unroll 2
  for (int s = 0; s < kSets; ++s) {
#pragma GCC unroll 4
    for (int k = 0; k < 4; ++k) x[s][k] = V::Prepare(here.v[s][k]);
#pragma GCC unroll 4
    for (int k = 0; k < kReach; ++k) {
      x[s][4 + k] = V::Prepare(V::NextQuarter(here.v[s][k], next.v[s][k]));
    }
  }
}

// Stride 1: two rows of the output share the rows that they read.
template <class V, int K, int S>
void Depthwise(const DepthwiseArgs& given) {
  const DepthwiseArgs args = given;  // which no byte that is stored can change
  constexpr int kRows = S == 1 ? 2 : 1;
  constexpr int kSets = K > 3 ? 2 : 1;
  constexpr int kReach = S == 1 ? K - 1 : K - 2;
  constexpr int kWeights = kRows * kSets * K * 16;
  const typename V::Output out(args.to);
  const typename V::Bytes fill = V::Fill(args.pad);
  const Edges<V> edges(args.in_w, args.pad_left);
  // A row of one vector is stored whole: what is beyond it belongs to the next row, which follows.
  const bool one_vector = args.y_room && args.out_w <= V::kLanes;
  for (int quad = 0; quad < args.quads; ++quad) {
    const int8_t* const x = args.x + quad * args.x_stride;
    typename V::Weights w[kRows][kSets][K];
    const int8_t* weights = args.weights + static_cast<size_t>(quad) * kWeights;
#pragma GCC unroll 2
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 2
      for (int s = 0; s < kSets; ++s) {
#pragma GCC unroll 5
        for (int t = 0; t < K; ++t, weights += 16) w[r][s][t] = V::Repeat(weights);
      }
    }
    const typename V::Sums bias = V::SetFour(args.bias + 4 * quad);
    const typename V::Floats scale = V::SetFourScales(args.scale + 4 * quad);
    for (int row = args.first_row; row < args.end_row; row += kRows) {
      const int8_t* rows[4 * kSets];
      for (int i = 0; i < 4 * kSets; ++i) {
        const int at = row * S - args.pad_top + i;
        const bool inside = i < K + kRows - 1 && at >= 0 && at < args.in_h;
        rows[i] = inside ? x + static_cast<size_t>(at) * args.in_w * 4 : args.pad_row;
      }
      const bool both = row + 1 < args.end_row;
      InterleavedRows<V, kSets> here, next;
      int first = -args.pad_left;
      here.Load(rows, first, edges, fill);
      for (int column = 0; column < args.out_w; column += V::kLanes) {
        const int count = one_vector ? V::kLanes : args.out_w - column;
        typename V::Bytes y[kRows];
        if constexpr (S == 1) {
          first += V::kLanes;
          next.Load(rows, first, edges, fill);
          typename V::Quads q[kSets][8];
          Prepare<V, kSets, kReach>(here, next, q);
#pragma GCC unroll 2
          for (int r = 0; r < kRows; ++r) {
            const typename V::Ints a =
                V::Requantize(DotWindow<V, K, kSets, 0>(bias, q, w[r]), scale, out);
            const typename V::Ints b =
                V::Requantize(DotWindow<V, K, kSets, 1>(bias, q, w[r]), scale, out);
            const typename V::Ints c =
                V::Requantize(DotWindow<V, K, kSets, 2>(bias, q, w[r]), scale, out);
            const typename V::Ints d =
                V::Requantize(DotWindow<V, K, kSets, 3>(bias, q, w[r]), scale, out);
            y[r] = V::Pack(a, b, c, d, out);
          }
        } else {
          // A stretch has two pixels of the output in each quarter: two stretches.
          typename V::Ints done[4];
#pragma GCC unroll 2
          for (int half = 0; half < 2; ++half) {
            first += V::kLanes;
            next.Load(rows, first, edges, fill);
            typename V::Quads q[kSets][8];
            Prepare<V, kSets, kReach>(here, next, q);
            done[2 * half] = V::Requantize(DotWindow<V, K, kSets, 0>(bias, q, w[0]), scale, out);
            done[2 * half + 1] =
                V::Requantize(DotWindow<V, K, kSets, 2>(bias, q, w[0]), scale, out);
            here = next;
          }
          y[0] = V::JoinHalves(V::Pack(done[0], done[1], done[2], done[3], out));
        }
        const size_t pixel = static_cast<size_t>(row) * args.out_w + column;
#pragma GCC unroll 2
        for (int r = 0; r < kRows; ++r) {
          if (r == 1 && !both) break;
          const size_t at = pixel + static_cast<size_t>(r) * args.out_w;
          if (args.to_panel) {
            StorePlanesSome<V>(args.y + 4 * quad * args.y_stride + at, args.y_stride, V::Turn(y[r]),
                               count);
          } else {
            StoreSome<V>(args.y + quad * args.y_stride + 4 * at, y[r], count);
          }
        }
        if constexpr (S == 1) here = next;
      }
    }
  }
}

void DepthwiseAny(const DepthwiseAnyArgs& args) {
  const V128::Output out(args.to);
  for (int i = 0; i < args.out_w; ++i) {
    for (int c = 0; c < 4; ++c) args.sums[4 * i + c] = args.bias[c];
  }
  const int8_t* w = args.weights;
  for (int ky = 0; ky < args.kernel_h; ++ky) {
    const int y = args.row * args.stride_h - args.pad_top + ky * args.dilation_h;
    if (y < 0 || y >= args.in_h) {
      w += 4 * args.kernel_w;
      continue;
    }
    const int8_t* const line = args.x + static_cast<size_t>(y) * args.in_w * 4;
    for (int kx = 0; kx < args.kernel_w; ++kx, w += 4) {
      const int shift = kx * args.dilation_w - args.pad_left;
      for (int i = 0; i < args.out_w; ++i) {
        const int at = i * args.stride_w + shift;
        if (at < 0 || at >= args.in_w) continue;
        for (int c = 0; c < 4; ++c) {
          // (Sums wrap, as those of vectors do.)
          const int product = (line[4 * at + c] - args.input_zero_point) * w[c];
          int32_t* const sum = args.sums + 4 * i + c;
          *sum = static_cast<int32_t>(static_cast<uint32_t>(*sum) + static_cast<uint32_t>(product));
        }
      }
    }
  }
  const V128::Floats scale = V128::SetFourScales(args.scale);
  for (int i = 0; i < args.out_w; ++i) {
    const V128::Ints y = V128::Requantize(V128::SetFour(args.sums + 4 * i), scale, out);
    int8_t four[16];
    V128::Store(four, V128::Pack(y, y, y, y, out));
    for (int c = 0; c < 4; ++c) args.y[i * args.y_pixel + c * args.y_channel] = four[c];
  }
}

}  // namespace
}  // namespace SBNN_ISA
}  // namespace int8
}  // namespace sbnn
