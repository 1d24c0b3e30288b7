// How tiles and groups of a sparse matrix product of int8 are handed to the threads.
#ifndef SBNN_DELEGATE_ENGINE_INT8_MATRIX_H_
#define SBNN_DELEGATE_ENGINE_INT8_MATRIX_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "delegate/engine/int8_lowered_input.h"
#include "delegate/format/int8_weights.h"
#include "delegate/kernels/int8/table.h"

namespace sbnn {

enum class Int8Results { kQuads, kPanel, kFloats };

// Tiles of pixels times chunks of outputs. A task takes one of each.
class Int8Grid {
 public:
  Int8Grid() = default;
  // As few tiles as can be, since each reads all weights, and as equal as can be. Outputs are split
  // only where there are too few tiles for the threads.
  Int8Grid(const Int8Weights& weights, size_t pixels, const int8::Kernels& kernels,
           Int8Results results, int threads);

  int tasks() const { return static_cast<int>(tiles_.size()) * chunks_; }

  // `args` for the whole product: x and y lead to its first pixel, and so does what `args.floats`
  // has of each pixel; `for_all`: all tiles take the same of that.
  void RunTask(int task, int8::SpmmArgs args, bool for_all = false) const;

 private:
  struct Tile {
    int first, pixels;
    int8::SpmmFn spmm;
  };
  void AddBlockTiles(const int8::BlockTiles& kernels, int lanes, int pixels);
  void AddColumnTiles(const int8::ColumnTiles& kernels, int lanes, int pixels);

  std::vector<Tile> tiles_;
  int chunks_ = 1;
  uint32_t quads_ = 0;
  int x_pixel_ = 1, y_pixel_ = 1;  // bytes; of floats 1
};

// From where the weights' indices are read: `unit` bytes between quads or channels. Null: there is
// one tap, and nothing is lowered.
Status ProductOffsets(const Int8Weights& weights, uint64_t unit, const Int8LoweredInput* lowered,
                      std::vector<int32_t>* offset);

// The args of a product but for x and y: `offset` has one for each index of the weights.
int8::SpmmArgs ProductArgs(const Int8Weights& weights, const std::vector<int32_t>& offset,
                           const int8::Requantization& to);

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_INT8_MATRIX_H_
