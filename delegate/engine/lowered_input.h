// The input of a convolution, copied such that each tap is one offset for all output pixels.
#ifndef SBNN_DELEGATE_ENGINE_LOWERED_INPUT_H_
#define SBNN_DELEGATE_ENGINE_LOWERED_INPUT_H_

#include <cstdint>
#include <vector>

#include "delegate/engine/op.h"
#include "delegate/engine/window.h"

namespace sbnn {

// What a band of output rows reads, in one of two forms.
//
// Shifted: a copy for each column of the window. Row y of copy k holds the pixels that tap k of the
// row's output pixels meets, zeros where it leaves the image, and nothing else, so that the output
// pixels of a band are contiguous: no lane is wasted at the ends of rows, whatever the stride and
// the dilation. Vertical taps are whole rows. This is the compact lowering of Cho and Brand, "MEC:
// Memory-efficient Convolution for Deep Neural Network" (2017), for each channel.
//
// Padded: one copy with zeros around it, in phases: padded pixel (y, x) lies in plane
// (y % stride_h, x % stride_w). It is smaller, but only pixels of one output row are contiguous.
class LoweredInput {
 public:
  // For an output of `out` images. `flat`: the input is in the outside's layout. `workers`: bands
  // are wanted for so many.
  void Plan(const Window& window, const PlacedWindow& placed, const Images& in, bool flat,
            const Kernels& kernels, int workers);
  // The same in bands of a given size, which may begin with any row.
  void PlanBand(const Window& window, const PlacedWindow& placed, const Images& in, bool flat,
                const Kernels& kernels, int band_rows);

  int bands() const { return bands_; }
  int band_rows() const { return band_rows_; }  // output rows of a band; the last may have fewer
  uint64_t bytes() const { return RoundUp(elements_ * BytesOf(type_), kVectorBytes); }  // of a band

  // Output pixels that are contiguous in a band: rows of the output that come one after another
  // at every stretch() elements.
  int stretch_rows() const { return padded_ ? 1 : band_rows_; }
  size_t stretch() const { return length_; }

  uint64_t channel_stride() const { return channel_stride_; }
  const std::vector<int64_t>& tap_offset() const { return tap_offset_; }  // elements

  // Copies what a band of `rows` output rows from `first_row` on needs of channel `c` of image `n`,
  // and reads nothing else of the input.
  void Fill(const Tensor& input, int n, int c, int first_row, int rows, void* band,
            const Kernels& kernels) const;

 private:
  void SetForm(const Window& window, const PlacedWindow& placed, bool flat, const Kernels& kernels);
  void SetBand(int band_rows, const Images& in);
  void SetTaps();
  // Rows of a plane for so many rows of the output.
  int PlaneRows(int rows) const {
    return rows + (window_.kernel_h - 1) * window_.dilation_h / window_.stride_h;
  }
  // The row of the input behind the last that these rows of the output need.
  int EndRow(const Images& in, int first_row, int rows) const;
  void FillShifted(const Tensor& input, int n, int c, int first_row, int rows, void* to,
                   const Kernels& kernels) const;
  void FillPadded(const Tensor& input, int n, int c, int first_row, int rows, void* to,
                  const Kernels& kernels) const;

  Window window_;
  PlacedWindow placed_;
  ElementType type_ = ElementType::kFloat32;
  bool padded_ = false;
  int copies_ = 1;           // of a plane: columns of the window, or horizontal phases
  int vertical_phases_ = 1;  // that any tap needs
  int bands_ = 1;
  int band_rows_ = 0;
  uint64_t length_ = 0;  // of its rows
  uint64_t plane_ = 0;   // elements of a plane
  uint64_t channel_stride_ = 0;
  uint64_t elements_ = 0;
  std::vector<int64_t> tap_offset_;
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_LOWERED_INPUT_H_
