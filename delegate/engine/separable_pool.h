// Pooling of one axis after the other: a window of h x w takes h + w operations, not h x w.
#ifndef SBNN_DELEGATE_ENGINE_SEPARABLE_POOL_H_
#define SBNN_DELEGATE_ENGINE_SEPARABLE_POOL_H_

#include <cstdint>
#include <vector>

#include "delegate/engine/op.h"
#include "delegate/engine/tensor.h"
#include "delegate/engine/values.h"
#include "delegate/engine/window.h"
#include "delegate/kernels/table.h"

namespace sbnn {

// First the rows under each output row are reduced to one, whole vectors of them, where they are;
// then windows slide along that. Windows end where the image does: just what is left of a row is
// padded, if its windows begin outside or are not side by side.
class SeparablePool {
 public:
  // (A margin, whose zeros count, would have to be there.)
  static bool Fits(const Window& window, const Images& in);

  void Plan(const Window& window, const PlacedWindow& placed, const Images& in, bool average,
            ElementType type);
  int bands() const { return (placed_.out_h + band_rows_ - 1) / band_rows_; }
  uint64_t bytes() const { return bytes_; }

  // Output rows of a band of a channel. `scratch` has bytes().
  void Run(const Tensor& input, const Tensor& output, int n, int c, int band, float lo, float hi,
           const Kernels& kernels, void* scratch) const;

 private:
  Window window_;
  PlacedWindow placed_;
  bool average_ = false;
  bool in_place_ = false;    // windows slide along the reduced rows as they are
  int band_rows_ = 0;        // of the output
  size_t reduced_row_ = 0;   // between reduced rows, and
  size_t phase_stride_ = 0;  // between the phases of a padded one
  int phase_length_ = 0;
  uint64_t bytes_ = 0;
  std::vector<Met> rows_;  // by output row
  std::vector<int32_t> row_taps_, column_taps_;
  std::vector<float> row_scale_, column_scale_, ones_;
  Values row_scales_, column_scales_, one_values_;
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_SEPARABLE_POOL_H_
