// How tiles and groups of a sparse matrix product are handed to the threads.
#ifndef SBNN_DELEGATE_ENGINE_MATRIX_H_
#define SBNN_DELEGATE_ENGINE_MATRIX_H_

#include <cstdint>
#include <vector>

#include "delegate/engine/op.h"
#include "delegate/format/packed_weights.h"

namespace sbnn {

// Pixels that one call of a kernel computes: `width` of them are written.
struct Tile {
  uint32_t first;  // pixel
  uint32_t width;
  SpmmFn spmm;
};

// Tiles of pixels times chunks of groups. A task takes one of each.
struct TaskGrid {
  std::vector<Tile> tiles;
  std::vector<uint32_t> group_begin;  // [chunks + 1] in groups, about equal numbers of columns
  std::vector<uint32_t> value_begin;  // of unstructured weights: [segments] first weight

  int chunks() const { return static_cast<int>(group_begin.size()) - 1; }
  int tasks() const { return static_cast<int>(tiles.size()) * chunks(); }
};

// Where each column of `weights` reads, in bytes from a tile's first pixel of channel 0. Outputs
// are split into `parts` that read channels of their own (see Convolution). Fails beyond 2 GiB.
Status PlanOffsets(const PackedWeights& weights, uint64_t channel_stride,
                   const std::vector<int64_t>& tap_offset, ElementType type, int parts,
                   std::vector<int32_t>* offset_bytes);

// Tiles that cover `pixels`, less than a vector more at the end of the last: as few as can be,
// since each reads all weights, and as equal as can be, so that none is too narrow to hide latency.
// `index`: of the weights' kernels, see KindIndex.
std::vector<Tile> SplitPixels(const Kernels& kernels, int index, size_t pixels, int threads);

// These tiles, and chunks of groups where there are too few of them for the threads.
TaskGrid MakeGrid(const PackedWeights& weights, size_t pixels, const Kernels& kernels, int threads);

// The groups of `args` in a tile. Weights, offsets and bias are given from their beginnings.
void RunSpmm(const PackedWeights& weights, const TaskGrid& grid, const Tile& tile,
             const SpmmArgs& args, const Kernels& kernels);

// The same for the product with one vector, of structured weights.
struct VectorGrid {
  std::vector<uint32_t> group_begin;  // [tasks + 1]
};
VectorGrid MakeVectorGrid(const PackedWeights& weights, int threads);

// y = clamp(W x + b) for one vector x, all outputs. `values` and `bias` are those of the weights,
// in the type of the kernels.
void RunSpmv(const PackedWeights& weights, const VectorGrid& grid, const Values& values,
             const Values& bias, const void* x, void* y, float lo, float hi,
             const RunContext& context);

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_MATRIX_H_
