// Pooling of small planes, where the channels of a pixel are the vector.
#ifndef SBNN_DELEGATE_ENGINE_SMALL_POOL_H_
#define SBNN_DELEGATE_ENGINE_SMALL_POOL_H_

#include <cstdint>
#include <vector>

#include "delegate/engine/tensor.h"
#include "delegate/engine/window.h"
#include "delegate/kernels/table.h"

namespace sbnn {

// Rows of a small plane leave most of a vector empty. So the planes of some channels are
// transposed, pooled pixel by pixel, and transposed back. Windows end where the image does: nothing
// is padded.
class SmallPool {
 public:
  static constexpr int kChannels = kMaxLanes;  // done at a time

  // Whether it is the faster way. (A margin, whose zeros count, would have to be there.)
  static bool Fits(const Window& window, const Images& in);

  void Plan(const Window& window, const PlacedWindow& placed, const Images& in, bool average,
            ElementType type);
  uint64_t bytes() const { return bytes_; }

  // Channels from `first` on: kChannels, or as many as there are. `scratch` has bytes().
  void Run(const Tensor& input, const Tensor& output, int n, int first, float lo, float hi,
           const Kernels& kernels, void* scratch) const;

 private:
  // Output pixels side by side whose windows meet as many rows and columns of the image.
  struct Stretch {
    size_t output;  // the first one
    int count;
    size_t input;  // the first pixel of its window
    int rows, columns;
    size_t first_tap;
  };

  bool average_ = false;
  int step_ = 1;       // input pixels from a window of a stretch to the next
  size_t pixels_ = 0;  // of the input
  uint64_t bytes_ = 0;
  std::vector<Stretch> stretches_;
  std::vector<int32_t> tap_offset_;
  std::vector<float> scales_;  // by output pixel: 1 / how many its window meets
  Values scale_values_, ones_;
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_SMALL_POOL_H_
