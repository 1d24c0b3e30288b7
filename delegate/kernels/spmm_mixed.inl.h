// Sparse matrix without structure x panel. Outputs are taken four at a time, and their columns are
// sorted by which of the four have a weight there (PackedWeights: runs), so that a pixel is loaded
// once for all of these: 0.35 loads a multiplication at 30 % zeros, 0.63 at 70 %. The inputs come
// in blocks whose part of a tile stays in the L1 cache: without that each load is from the L2
// cache, at half the rate of the FMAs.
#include "delegate/format/packed_weights.h"
#include "delegate/kernels/kernels.h"
#include "delegate/kernels/vec.h"

namespace sbnn {
namespace SBNN_ISA {
namespace {

// Where in its columns and weights a kernel is.
struct Cursor {
  const int32_t* offset;
  const Element* weights;
};

// The columns that serve the outputs in kOutputs, a bit each.
template <int kOutputs, int P>
SBNN_INLINE void AddRun(const char* x, int count, Cursor* at, Vec (&acc)[kMixedOutputs][P]) {
  constexpr int N = __builtin_popcount(kOutputs);
  const int32_t* offset = at->offset;
  const Element* w = at->weights;
  for (; count > 0; --count, ++offset, w += N) {
    __builtin_prefetch(w + kAhead);
    const Element* const pixels = reinterpret_cast<const Element*>(x + *offset);
    const Scalars<N> weights(w);
    Vec v[P];
#pragma GCC unroll 16
    for (int j = 0; j < P; ++j) v[j] = Load(pixels + j * Vec::kLanes);
#pragma GCC unroll 4
    for (int i = 0; i < kMixedOutputs; ++i) {
      if ((kOutputs >> i & 1) == 0) continue;
      const int k = __builtin_popcount(kOutputs & ((1 << i) - 1));
#pragma GCC unroll 16
      for (int j = 0; j < P; ++j) acc[i][j] = FmaScalar(v[j], weights[k], acc[i][j]);
    }
  }
  at->offset = offset;
  at->weights = w;
}

template <int kOutputs, int P>
SBNN_INLINE void AddRuns(const char* x, const uint8_t* runs, Cursor* at,
                         Vec (&acc)[kMixedOutputs][P]) {
  AddRun<kOutputs>(x, runs[kOutputs - 1], at, acc);
  if constexpr (kOutputs > 1) AddRuns<kOutputs - 1>(x, runs, at, acc);
}

template <int P>
void SpmmMixed(const SpmmArgs& args) {
  const Vec lo = Set(args.lo), hi = Set(args.hi);
  const char* const x = static_cast<const char*>(args.x);
  const Element* const bias = AsElements(args.bias);
  const size_t y_stride = args.y_stride;
  Cursor at{args.offset_bytes, AsElements(args.weights)};
  for (uint32_t g = args.first_group; g < args.end_group; ++g) {
    const size_t first = static_cast<size_t>(g) * kMixedOutputs;
    Vec acc[kMixedOutputs][P];
#pragma GCC unroll 4
    for (int i = 0; i < kMixedOutputs; ++i) {
      const Element* const add = AsElements(args.add) + (first + i) * y_stride;
      const Vec b = Set(bias == nullptr ? Element{0} : bias[first + i]);
#pragma GCC unroll 16
      for (int j = 0; j < P; ++j) {
        acc[i][j] = args.add == nullptr ? b : Add(b, Load(add + j * Vec::kLanes));
      }
    }
    AddRuns<kMixedRuns>(x, args.runs + size_t{g} * kMixedRuns, &at, acc);
    Element* y = AsElements(args.y) + first * y_stride;
#pragma GCC unroll 4
    for (int i = 0; i < kMixedOutputs; ++i, y += y_stride) {
#pragma GCC unroll 16
      for (int j = 0; j < P; ++j) Store(y + j * Vec::kLanes, Min(hi, Max(lo, acc[i][j])));
    }
  }
}

// The same times one vector: for what was packed for images and meets one of one pixel.
void SpmvMixed(const SpmvArgs& args) {
  const uint16_t* column = args.columns;
  const Element* const x = AsElements(args.x);
  const Element* w = AsElements(args.weights);
  const uint8_t* runs = args.runs;
  for (uint32_t block = 0; block < args.blocks; ++block) {
    const bool last = block + 1 == args.blocks;
    for (uint32_t g = args.first_group; g < args.end_group; ++g, runs += kMixedRuns) {
      Element* const y = AsElements(args.y) + static_cast<size_t>(g) * kMixedOutputs;
      const Element* const start =
          block > 0 ? y : AsElements(args.bias) + static_cast<size_t>(g) * kMixedOutputs;
      float sum[kMixedOutputs];
      for (int i = 0; i < kMixedOutputs; ++i) sum[i] = start[i];
      for (int outputs = kMixedRuns; outputs > 0; --outputs) {
        for (int count = runs[outputs - 1]; count > 0; --count, ++column) {
          for (int i = 0; i < kMixedOutputs; ++i) {
            if ((outputs >> i & 1) != 0) sum[i] += *w++ * x[*column];
          }
        }
      }
      for (int i = 0; i < kMixedOutputs; ++i) {
        y[i] = last ? ClampOne(sum[i], args.lo, args.hi) : sum[i];
      }
    }
  }
}

}  // namespace
}  // namespace SBNN_ISA
}  // namespace sbnn
