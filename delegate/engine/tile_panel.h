// A tile's pixels of all channels, copied side by side.
#ifndef SBNN_DELEGATE_ENGINE_TILE_PANEL_H_
#define SBNN_DELEGATE_ENGINE_TILE_PANEL_H_

#include <cstdint>

#include "delegate/engine/matrix.h"

namespace sbnn {

// Where a tile is narrower than a cache line, each group of outputs reads a line of every channel
// for a part of it, and many channels don't fit the L1 cache. A copy, made once for all groups,
// holds nothing else. (The packing of a dense matrix product: Goto and van de Geijn, "Anatomy of
// High-Performance Matrix Multiplication", 2008.)
class TilePanel {
 public:
  // For tiles of `width` pixels at most, of `channels` planes that are a stride apart.
  void Plan(size_t width, int channels, size_t plane_stride, const Kernels& kernels);

  bool used() const { return used_; }
  uint64_t bytes() const { return bytes_; }

  // Elements from a channel to the next, wherever the kernels read.
  size_t channel_stride() const { return used_ ? stride_ : plane_stride_; }

  // What a kernel reads in place of `x`, a tile's first pixel: bytes() of `panel` that are filled,
  // or x itself.
  const void* Fill(const void* x, void* panel) const;

 private:
  bool used_ = false;
  int channels_ = 0, pieces_ = 0;  // pieces of a channel
  size_t element_ = 0;             // bytes
  size_t stride_ = 0, plane_stride_ = 0;
  uint64_t bytes_ = 0;
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_TILE_PANEL_H_
