#include "delegate/engine/int8_matrix.h"

#include <algorithm>
#include <limits>

namespace sbnn {

Int8Grid::Int8Grid(const Int8Weights& weights, size_t pixels, const int8::Kernels& kernels,
                   Int8Results results, int threads)
    : quads_(static_cast<uint32_t>(weights.quads())),
      x_pixel_(weights.columns != 0 ? 1 : kQuad),
      y_pixel_(results == Int8Results::kQuads ? kQuad : 1) {
  const int g = int8::GroupIndex(weights.group), count = static_cast<int>(pixels);
  const bool floats = results == Int8Results::kFloats;
  if (weights.columns != 0) {
    const bool to_panel = results == Int8Results::kPanel;
    AddColumnTiles(floats ? kernels.columns_to_floats[g] : kernels.columns[g][to_panel],
                   kernels.lanes, count);
  } else {
    AddBlockTiles(floats ? kernels.blocks_to_floats[g] : kernels.blocks[g], kernels.lanes, count);
  }
  // Some tasks a thread, so that unequal ones finish together.
  constexpr int kTasks = 4;
  const int tiles = std::max(1, static_cast<int>(tiles_.size()));
  if (threads > 1) chunks_ = std::max(1, threads * kTasks / tiles);
  chunks_ = std::min(chunks_, static_cast<int>(quads_));
}

void Int8Grid::AddBlockTiles(const int8::BlockTiles& kernels, int lanes, int pixels) {
  int vectors = pixels / lanes;
  const int rest = pixels % lanes;
  const bool tail =
      rest > 0 && rest <= int8::kTailPixels && vectors > 0 && kernels.with_tail[0] != nullptr;
  if (rest > 0 && !tail) ++vectors;
  const int count = (vectors + kernels.widest - 1) / kernels.widest;
  for (int t = 0, first = 0; t < count; ++t) {
    // The wider ones come first.
    const int width = (vectors - first + count - t - 1) / (count - t);
    const bool last = t == count - 1;
    const int end = last ? pixels : std::min(pixels, (first + width) * lanes);
    tiles_.push_back({first * lanes, end - first * lanes,
                      last && tail ? kernels.with_tail[width - 1] : kernels.kernel[width - 1]});
    first += width;
  }
}

void Int8Grid::AddColumnTiles(const int8::ColumnTiles& kernels, int lanes, int pixels) {
  const int wide = 4 * lanes;
  for (int first = 0; first < pixels;) {
    const int rest = pixels - first;
    // (A wide tile takes as long as two and a half narrow ones.)
    int width = lanes;
    int8::SpmmFn spmm = kernels.narrow;
    if (2 * rest > 5 * lanes) {
      width = wide;
      spmm = kernels.wide;
    } else if (rest <= int8::kTailPixels && kernels.tail != nullptr) {
      width = int8::kTailPixels;
      spmm = kernels.tail;
    }
    width = std::min(rest, width);
    tiles_.push_back({first, width, spmm});
    first += width;
  }
}

void Int8Grid::RunTask(int task, int8::SpmmArgs args, bool for_all) const {
  const Tile& tile = tiles_[task / chunks_];
  const uint32_t chunk = static_cast<uint32_t>(task % chunks_);
  args.x += static_cast<ptrdiff_t>(tile.first) * x_pixel_;
  args.y += static_cast<ptrdiff_t>(tile.first) * y_pixel_;
  if (args.floats.y != nullptr) {
    args.floats.y += tile.first;
    args.floats.zero_points += for_all ? 0 : tile.first;
    args.floats.input_scales += for_all ? 0 : tile.first;
  }
  args.pixels = tile.pixels;
  args.first_quad = chunk * quads_ / chunks_;
  args.end_quad = (chunk + 1) * quads_ / chunks_;
  tile.spmm(args);
}

Status ProductOffsets(const Int8Weights& weights, uint64_t unit, const Int8LoweredInput* lowered,
                      std::vector<int32_t>* offset) {
  offset->clear();
  offset->reserve(weights.indices.size());
  for (uint16_t index : weights.indices) {
    const int tap = index % weights.taps;
    const uint64_t bytes =
        index / weights.taps * unit + (lowered == nullptr ? 0 : lowered->OffsetOf(tap));
    if (bytes > static_cast<uint64_t>(std::numeric_limits<int32_t>::max())) {
      return Status::Error("the input is too large for 32-bit offsets");
    }
    offset->push_back(static_cast<int32_t>(bytes));
  }
  return Status();
}

int8::SpmmArgs ProductArgs(const Int8Weights& weights, const std::vector<int32_t>& offset,
                           const int8::Requantization& to) {
  int8::SpmmArgs args = {};
  args.group_begin = weights.group_begin.data();
  args.offset = offset.data();
  args.weights = weights.weights.data();
  args.bias = weights.bias.data();
  args.scale = weights.scale.data();
  args.to = to;
  return args;
}

}  // namespace sbnn
