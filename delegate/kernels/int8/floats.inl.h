// The sparse products whose sums become floats: see FloatOutput. A vector holds pixels of one
// output, which a panel of floats has side by side, so that nothing is packed.
#include "delegate/kernels/int8/kernels.h"

namespace sbnn {
namespace int8 {
namespace SBNN_ISA {
namespace {

constexpr int32_t kZeros[4] = {0, 0, 0, 0};

// Stores kLanes pixels of an output, the first of which is the tile's `pixel`-th.
template <class V>
SBNN_INLINE void StoreScaled(const SpmmArgs& args, size_t output, size_t pixel,
                             typename V::Ints sums) {
  const FloatOutput& to = args.floats;
  sums = V::LessProduct(sums, V::LoadInts(to.zero_points + pixel), V::SetInts(args.bias[output]));
  const typename V::Floats y =
      V::Scale(sums, V::LoadFloats(to.input_scales + pixel), V::SetScale(args.scale[output]),
               V::SetScale(to.bias[output]));
  V::StoreFloats(to.y + output * to.y_stride + pixel,
                 V::Min(V::Max(y, V::SetScale(to.lo)), V::SetScale(to.hi)));
}

template <int T, int G>
SBNN_INLINE void StoreTail(const SpmmArgs& args, size_t output, size_t pixel,
                           const Tail<T, G>& tail) {
  if constexpr (T > 0) {
#pragma GCC unroll 4
    for (int i = 0; i < G; ++i) {
      StoreScaled<V128>(args, output + i, pixel, V128::Total(tail.sums[i]));
    }
  }
}

template <class V, int G, int P, int T>
void SpmmBlocksToFloats(const SpmmArgs& args) {
  for (uint32_t group = args.first_quad * (4 / G); group < args.end_quad * (4 / G); ++group) {
    typename V::Sums sums[G][P];
    Tail<T, G> tail;
    AddBlocks<V, G, P, T>(args, group, kZeros, sums, tail);
    const size_t output = static_cast<size_t>(group) * G;
#pragma GCC unroll 4
    for (int i = 0; i < G; ++i) {
#pragma GCC unroll 8
      for (int j = 0; j < P; ++j) {
        StoreScaled<V>(args, output + i, j * V::kLanes, V::Total(sums[i][j]));
      }
    }
    StoreTail(args, output, P * V::kLanes, tail);
  }
}

template <class V, int kPass, int G>
SBNN_INLINE void TotalColumns(const SpmmArgs& args, uint32_t group,
                              typename V::Ints (&done)[G][4]) {
  constexpr int kParts = 4 / Passes<V, G>(), kFirst = kPass * kParts, kEnd = kFirst + kParts;
  typename V::Sums sums[G][4];
  AddColumns<V, kPass, G>(args, group, kZeros, sums);
#pragma GCC unroll 4
  for (int i = 0; i < G; ++i) {
#pragma GCC unroll 4
    for (int j = kFirst; j < kEnd; ++j) done[i][j] = V::Total(sums[i][j]);
  }
}

// (Planes have room for the last pixel's vector, and not for others behind it.)
template <class V, int G>
void SpmmColumnsWideToFloats(const SpmmArgs& args) {
  for (uint32_t group = args.first_quad * (4 / G); group < args.end_quad * (4 / G); ++group) {
    typename V::Ints done[G][4];
    constexpr int kPasses = Passes<V, G>();
    TotalColumns<V, 0, G>(args, group, done);
    if constexpr (kPasses > 1) TotalColumns<V, 1, G>(args, group, done);
    if constexpr (kPasses > 2) {
      TotalColumns<V, 2, G>(args, group, done);
      TotalColumns<V, 3, G>(args, group, done);
    }
#pragma GCC unroll 4
    for (int i = 0; i < G; ++i) {
      V::InOrder(done[i]);
#pragma GCC unroll 4
      for (int j = 0; j < 4; ++j) {
        if (j * V::kLanes >= args.pixels) break;
        StoreScaled<V>(args, static_cast<size_t>(group) * G + i, j * V::kLanes, done[i][j]);
      }
    }
  }
}

template <class V, int G>
void SpmmColumnsNarrowToFloats(const SpmmArgs& args) {
  for (uint32_t group = args.first_quad * (4 / G); group < args.end_quad * (4 / G); ++group) {
    typename V::Sums sums[G];
    AddFewColumns<V, G>(args, group, kZeros, sums);
#pragma GCC unroll 4
    for (int i = 0; i < G; ++i) {
      StoreScaled<V>(args, static_cast<size_t>(group) * G + i, 0, V::Total(sums[i]));
    }
  }
}

template <class V>
void SpmvToFloats(const SpmvArgs& args) {
  const FloatOutput& to = args.floats;
  for (uint32_t quad = args.first_quad; quad < args.end_quad; ++quad) {
    const size_t output = size_t{4} * quad;
    const V128::Ints sums =
        V128::LessProduct(V128::Total(AddSteps<V>(args, quad, kZeros)),
                          V128::LoadInts(args.bias + output), V128::SetInts(to.zero_points[0]));
    const V128::Floats y =
        V128::Scale(sums, V128::SetScale(to.input_scales[0]), V128::LoadFloats(args.scale + output),
                    V128::LoadFloats(to.bias + output));
    V128::StoreFloats(to.y + output,
                      V128::Min(V128::Max(y, V128::SetScale(to.lo)), V128::SetScale(to.hi)));
  }
}

}  // namespace
}  // namespace SBNN_ISA
}  // namespace int8
}  // namespace sbnn
