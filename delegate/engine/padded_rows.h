// Rows of one channel copied with padding around them, for kernels that slide a window over rows.
#ifndef SBNN_DELEGATE_ENGINE_PADDED_ROWS_H_
#define SBNN_DELEGATE_ENGINE_PADDED_ROWS_H_

#include <cstdint>
#include <vector>

#include "delegate/engine/op.h"
#include "delegate/engine/window.h"

namespace sbnn {

class PaddedRows {
 public:
  // Bands of output rows whose input rows fit a part of the L1 cache.
  void Plan(const Window& window, const PlacedWindow& placed, ElementType type);

  int band_rows() const { return band_rows_; }
  int bands() const { return bands_; }
  uint64_t bytes() const { return bytes_; }  // of a band
  size_t row_stride() const { return row_stride_; }
  const std::vector<int32_t>& tap_offset() const { return tap_offset_; }

  // Copies what output rows [first_row, first_row + rows) of a channel need, `fill` around it.
  void Fill(const Tensor& input, int n, int c, int first_row, int rows, float fill,
            const Kernels& kernels, void* padded) const;

 private:
  Window window_;
  PlacedWindow placed_;
  int phase_length_ = 0;  // useful elements of a phase of a padded row
  uint64_t phase_stride_ = 0;
  uint64_t row_stride_ = 0;
  int band_rows_ = 0;
  int bands_ = 1;
  uint64_t bytes_ = 0;
  std::vector<int32_t> tap_offset_;
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_PADDED_ROWS_H_
