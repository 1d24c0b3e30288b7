// The input of a convolution of int8, copied such that each tap is one offset for all output
// pixels.
#ifndef SBNN_DELEGATE_ENGINE_INT8_LOWERED_INPUT_H_
#define SBNN_DELEGATE_ENGINE_INT8_LOWERED_INPUT_H_

#include <cstdint>
#include <vector>

#include "delegate/engine/tensor.h"
#include "delegate/engine/window.h"
#include "delegate/kernels/int8/table.h"

namespace sbnn {

// What a band of output rows reads: of each unit (a quad of channels, or a channel of a panel) a
// plane for each column of the window and each vertical phase. Row r of a plane holds the pixels
// that output pixels of row r meet, the zero point where they leave the image, and nothing else, so
// that the output pixels of a band are contiguous. See LoweredInput, of floats.
class Int8LoweredInput {
 public:
  void Plan(const Window& window, const PlacedWindow& placed, const Tensor& input);

  int bands() const { return bands_; }
  int band_rows() const { return band_rows_; }  // output rows; the last band may have fewer
  int units() const { return units_; }
  uint64_t bytes() const { return bytes_; }  // of a band
  uint64_t unit_stride() const { return unit_stride_; }
  // Bytes from a unit's first plane to what a tap meets.
  int64_t OffsetOf(int tap) const;

  // Copies a unit of image n for `rows` output rows from `first_row` on.
  void Fill(const Tensor& input, int n, int unit, int first_row, int rows, int8_t* band,
            const int8::Kernels& kernels) const;

 private:
  Window window_;
  PlacedWindow placed_;
  int pixel_ = 1;  // bytes
  int phases_ = 1;
  int reach_ = 0;  // rows of a plane beyond those of the output
  int bands_ = 1, band_rows_ = 0, units_ = 0;
  uint64_t row_ = 0, plane_ = 0, unit_stride_ = 0, bytes_ = 0;
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_INT8_LOWERED_INPUT_H_
