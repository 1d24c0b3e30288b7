// Sparse matrix x tile of pixels, int8. Of a step four inputs are multiplied by the weights of G
// outputs: an instruction multiplies those of a vector of pixels and adds up the four products of
// each. Blocks keep four inputs together and are loaded from quads; columns are single, and four
// of them are interleaved in registers. Sums become elements before they are stored.
#include "delegate/kernels/int8/kernels.h"

namespace sbnn {
namespace int8 {
namespace SBNN_ISA {
namespace {

// Weights are read once and from far away: see the float kernels' kAhead.
constexpr int kAhead = 1024;  // bytes

// What follows a tile's whole vectors: nothing, or one quarter of four pixels.
template <int T, int G>
struct Tail {
  SBNN_INLINE void Begin(const int32_t*) {}
  SBNN_INLINE void Finish(const float*, const V128::Output&, V128::Ints*) {}
};

template <int G>
struct Tail<1, G> {
  SBNN_INLINE void Begin(const int32_t* bias) {
#pragma GCC unroll 4
    for (int i = 0; i < G; ++i) sums[i] = V128::Set(bias[i]);
  }
  template <class Weights>
  SBNN_INLINE void Add(const int8_t* x, const Weights& w) {
    const V128::Quads v = V128::LoadQuads(x);
#pragma GCC unroll 4
    for (int i = 0; i < G; ++i) w.template DotWith<V128>(sums[i], v, i);
  }
  SBNN_INLINE void Finish(const float* scale, const V128::Output& out, V128::Ints* to) {
#pragma GCC unroll 4
    for (int i = 0; i < G; ++i) to[i] = V128::Requantize(sums[i], V128::SetScale(scale[i]), out);
  }
  V128::Sums sums[G];
};

// A group's sums for P vectors of pixels and the tail behind them, which begin with `start`.
template <class V, int G, int P, int T>
SBNN_INLINE void AddBlocks(const SpmmArgs& args, uint32_t group, const int32_t* start,
                           typename V::Sums (&sums)[G][P], Tail<T, G>& tail) {
  constexpr int kVector = 4 * V::kLanes;  // bytes
  const uint32_t first = args.group_begin[group];
  const int32_t* offset = args.offset + first;
  const int32_t* const end = args.offset + args.group_begin[group + 1];
  const int8_t* w = args.weights + static_cast<size_t>(first) * 4 * G;
  const int8_t* const x = args.x;
#pragma GCC unroll 4
  for (int i = 0; i < G; ++i) {
#pragma GCC unroll 8
    for (int j = 0; j < P; ++j) sums[i][j] = V::Set(start[i]);
  }
  tail.Begin(start);
#pragma GCC unroll 1
  for (; offset != end; ++offset, w += 4 * G) {
    __builtin_prefetch(w + kAhead);
    const int8_t* const from = x + *offset;
    const GroupWeights<V, G> weights(w);
    typename V::Quads v[P];
#pragma GCC unroll 8
    for (int j = 0; j < P; ++j) v[j] = V::LoadQuads(from + j * kVector);
#pragma GCC unroll 4
    for (int i = 0; i < G; ++i) {
#pragma GCC unroll 8
      for (int j = 0; j < P; ++j) {
        weights.template DotWith<V>(sums[i][j], v[j], i);
      }
    }
    if constexpr (T > 0) tail.Add(from + P * kVector, weights);
  }
}

// P vectors of pixels and a tail of 4 T.
template <class V, int G, int P, int T>
void SpmmBlocks(const SpmmArgs& args) {
  constexpr int kVector = 4 * V::kLanes;  // bytes
  const typename V::Output out(args.to);
  const V128::Output tail_out(args.to);
  for (uint32_t quad = args.first_quad; quad < args.end_quad; ++quad) {
    typename V::Ints done[4][P];
    V128::Ints tail_done[4];
#pragma GCC unroll 1
    for (int part = 0; part < 4 / G; ++part) {
      const uint32_t group = quad * (4 / G) + part;
      const float* const scale = args.scale + static_cast<size_t>(group) * G;
      typename V::Sums sums[G][P];
      Tail<T, G> tail;
      AddBlocks<V, G, P, T>(args, group, args.bias + static_cast<size_t>(group) * G, sums, tail);
#pragma GCC unroll 4
      for (int i = 0; i < G; ++i) {
        const typename V::Floats s = V::SetScale(scale[i]);
#pragma GCC unroll 8
        for (int j = 0; j < P; ++j) {
          done[part * G + i][j] = V::Requantize(sums[i][j], s, out);
        }
      }
      tail.Finish(scale, tail_out, tail_done + part * G);
    }
    int8_t* const y = args.y + quad * args.y_stride;
#pragma GCC unroll 8
    for (int j = 0; j < P; ++j) {
      const typename V::Bytes v =
          V::Turn(V::Pack(done[0][j], done[1][j], done[2][j], done[3][j], out));
      if (T > 0 || j < P - 1) {
        V::Store(y + j * kVector, v);
      } else {
        StoreSome<V>(y + j * kVector, v, args.pixels - j * V::kLanes);
      }
    }
    if constexpr (T > 0) {
      const V128::Bytes v =
          V128::Turn(V128::Pack(tail_done[0], tail_done[1], tail_done[2], tail_done[3], tail_out));
      StoreSome<V128>(y + P * kVector, v, args.pixels - P * V::kLanes);
    }
  }
}

// Columns: 4 * kLanes pixels, of which a pass computes so many parts of four that sums take half of
// the registers: all in one where these suffice, else two by two or one by one.
template <class V, int G>
constexpr int Passes() {
  int passes = kRegisters >= 32 ? 1 : 2;
  while (passes < 4 && G * (4 / passes) * V::kSumRegisters > (kRegisters + 1) / 2) passes *= 2;
  return passes;
}

// A pass's part of a group's sums for 4 * kLanes pixels, which begin with `start`.
template <class V, int kPass, int G>
SBNN_INLINE void AddColumns(const SpmmArgs& args, uint32_t group, const int32_t* start,
                            typename V::Sums (&sums)[G][4]) {
  constexpr int kParts = 4 / Passes<V, G>(), kFirst = kPass * kParts, kEnd = kFirst + kParts;
  const uint32_t first = args.group_begin[group];
  const int32_t* offset = args.offset + 4 * static_cast<size_t>(first);
  const int32_t* const end = args.offset + 4 * static_cast<size_t>(args.group_begin[group + 1]);
  const int8_t* w = args.weights + static_cast<size_t>(first) * 4 * G;
  const int8_t* const x = args.x;
#pragma GCC unroll 4
  for (int i = 0; i < G; ++i) {
#pragma GCC unroll 4
    for (int j = kFirst; j < kEnd; ++j) sums[i][j] = V::Set(start[i]);
  }
#pragma GCC unroll 1
  for (; offset != end; offset += 4, w += 4 * G) {
    __builtin_prefetch(w + kAhead);
    const GroupWeights<V, G> weights(w);
    const typename V::Bytes rows[4] = {V::Load(x + offset[0]), V::Load(x + offset[1]),
                                       V::Load(x + offset[2]), V::Load(x + offset[3])};
    typename V::Bytes v[4];
    if constexpr (kFirst < 2) V::template Interleave<0>(rows, v);
    if constexpr (kEnd > 2) V::template Interleave<1>(rows, v);
#pragma GCC unroll 4
    for (int j = kFirst; j < kEnd; ++j) {
      const typename V::Quads quads = V::Prepare(v[j]);
#pragma GCC unroll 4
      for (int i = 0; i < G; ++i) {
        weights.template DotWith<V>(sums[i][j], quads, i);
      }
    }
  }
}

// The same of kLanes pixels. Two steps are in flight, since a sum waits for the one before.
template <class V, int G>
SBNN_INLINE void AddFewColumns(const SpmmArgs& args, uint32_t group, const int32_t* start,
                               typename V::Sums (&sums)[G]) {
  const uint32_t first = args.group_begin[group];
  const int32_t* offset = args.offset + 4 * static_cast<size_t>(first);
  const int32_t* const end = args.offset + 4 * static_cast<size_t>(args.group_begin[group + 1]);
  const int8_t* w = args.weights + static_cast<size_t>(first) * 4 * G;
  const int8_t* const x = args.x;
  typename V::Sums odd[G];
#pragma GCC unroll 4
  for (int i = 0; i < G; ++i) {
    sums[i] = V::Set(start[i]);
    odd[i] = V::Set(0);
  }
  const auto add = [x](const int32_t* at, const int8_t* step, typename V::Sums(&to)[G]) {
    const GroupWeights<V, G> weights(step);
    const int8_t* const rows[4] = {x + at[0], x + at[1], x + at[2], x + at[3]};
    const typename V::Quads v = V::Prepare(V::LoadColumns(rows));
#pragma GCC unroll 4
    for (int i = 0; i < G; ++i) weights.template DotWith<V>(to[i], v, i);
  };
#pragma GCC unroll 1
  for (; end - offset >= 8; offset += 8, w += 8 * G) {
    __builtin_prefetch(w + kAhead);
    add(offset, w, sums);
    add(offset + 4, w + 4 * G, odd);
  }
  if (offset != end) add(offset, w, sums);
#pragma GCC unroll 4
  for (int i = 0; i < G; ++i) sums[i] = V::Add(sums[i], odd[i]);
}

template <class V, int kPass, int G>
SBNN_INLINE void RequantizeColumns(const SpmmArgs& args, uint32_t group,
                                   const typename V::Output& out, typename V::Ints (*done)[4]) {
  constexpr int kParts = 4 / Passes<V, G>(), kFirst = kPass * kParts, kEnd = kFirst + kParts;
  const float* const scale = args.scale + static_cast<size_t>(group) * G;
  typename V::Sums sums[G][4];
  AddColumns<V, kPass, G>(args, group, args.bias + static_cast<size_t>(group) * G, sums);
#pragma GCC unroll 4
  for (int i = 0; i < G; ++i) {
    const typename V::Floats s = V::SetScale(scale[i]);
#pragma GCC unroll 4
    for (int j = kFirst; j < kEnd; ++j) done[i][j] = V::Requantize(sums[i][j], s, out);
  }
}

// 4 * kLanes pixels; to quads, or to a panel.
template <class V, int G, bool kToPanel>
void SpmmColumnsWide(const SpmmArgs& args) {
  const typename V::Output out(args.to);
  for (uint32_t quad = args.first_quad; quad < args.end_quad; ++quad) {
    typename V::Ints done[4][4];
#pragma GCC unroll 1
    for (int part = 0; part < 4 / G; ++part) {
      const uint32_t group = quad * (4 / G) + part;
      constexpr int kPasses = Passes<V, G>();
      RequantizeColumns<V, 0, G>(args, group, out, done + part * G);
      if constexpr (kPasses > 1) RequantizeColumns<V, 1, G>(args, group, out, done + part * G);
      if constexpr (kPasses > 2) {
        RequantizeColumns<V, 2, G>(args, group, out, done + part * G);
        RequantizeColumns<V, 3, G>(args, group, out, done + part * G);
      }
    }
    if constexpr (kToPanel) {
      int8_t* y = args.y + 4 * quad * args.y_stride;
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i, y += args.y_stride) {
        const typename V::Bytes v = V::Pack(done[i][0], done[i][1], done[i][2], done[i][3], out);
        StoreBytesSome<V>(y, v, args.pixels);
      }
    } else {
      typename V::Bytes v[4];
#pragma GCC unroll 4
      for (int j = 0; j < 4; ++j) {
        v[j] = V::Turn(V::Pack(done[0][j], done[1][j], done[2][j], done[3][j], out));
      }
      V::InOrder(v);
      int8_t* y = args.y + quad * args.y_stride;
#pragma GCC unroll 4
      for (int j = 0; j < 4; ++j, y += 4 * V::kLanes) {
        const int left = args.pixels - j * V::kLanes;
        if (left <= 0) break;
        StoreSome<V>(y, v[j], left);
      }
    }
  }
}

// kLanes pixels.
template <class V, int G, bool kToPanel>
void SpmmColumnsNarrow(const SpmmArgs& args) {
  const typename V::Output out(args.to);
  for (uint32_t quad = args.first_quad; quad < args.end_quad; ++quad) {
    typename V::Ints done[4];
#pragma GCC unroll 1
    for (int part = 0; part < 4 / G; ++part) {
      const uint32_t group = quad * (4 / G) + part;
      const float* const scale = args.scale + static_cast<size_t>(group) * G;
      typename V::Sums sums[G];
      AddFewColumns<V, G>(args, group, args.bias + static_cast<size_t>(group) * G, sums);
#pragma GCC unroll 4
      for (int i = 0; i < G; ++i) {
        done[part * G + i] = V::Requantize(sums[i], V::SetScale(scale[i]), out);
      }
    }
    const typename V::Bytes v = V::Pack(done[0], done[1], done[2], done[3], out);
    if constexpr (!kToPanel) {
      StoreSome<V>(args.y + quad * args.y_stride, V::Turn(v), args.pixels);
    } else {
      StorePlanesSome<V>(args.y + 4 * quad * args.y_stride, args.y_stride, v, args.pixels);
    }
  }
}

}  // namespace
}  // namespace SBNN_ISA
}  // namespace int8
}  // namespace sbnn
