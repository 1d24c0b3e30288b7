// How tiles and groups of a sparse matrix product are handed to the threads.
#ifndef SBNN_DELEGATE_ENGINE_OPS_MATRIX_H_
#define SBNN_DELEGATE_ENGINE_OPS_MATRIX_H_

#include <cstdint>
#include <vector>

#include "delegate/engine/op.h"
#include "delegate/format/packed_weights.h"

namespace sbnn {

// Tiles of pixels times chunks of groups. A task takes one of each.
struct TaskGrid {
  std::vector<uint32_t> tile_begin;   // [tiles + 1] in vectors
  std::vector<uint32_t> group_begin;  // [chunks + 1] in groups, about equal numbers of columns

  int tiles() const { return static_cast<int>(tile_begin.size()) - 1; }
  int chunks() const { return static_cast<int>(group_begin.size()) - 1; }
  int tasks() const { return tiles() * chunks(); }
};

// Tiles of at most `widest` vectors and as equal as can be, so that no tile is too narrow to hide
// latency; groups are split only where there are too few tiles for the threads.
TaskGrid MakeGrid(const PackedWeights& weights, size_t vectors, int widest, int threads);

// y = clamp(W x + b) for one vector x, all outputs.
void RunSpmv(const PackedWeights& weights, const float* x, float* y, float lo, float hi,
             const RunContext& context);

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_OPS_MATRIX_H_
