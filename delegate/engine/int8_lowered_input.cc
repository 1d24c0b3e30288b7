#include "delegate/engine/int8_lowered_input.h"

#include <algorithm>
#include <cstring>

namespace sbnn {
namespace {

constexpr uint64_t kBandBytes = 256 << 10;  // stays in an L2 cache beside the weights

}  // namespace

void Int8LoweredInput::Plan(const Window& window, const PlacedWindow& placed, const Tensor& input) {
  window_ = window;
  placed_ = placed;
  const Images in = input.images();
  const bool quads = input.layout == Layout::kQuads;
  pixel_ = quads ? 4 : 1;
  units_ = quads ? (in.c + 3) / 4 : in.c;
  const int last_tap = (window.kernel_h - 1) * window.dilation_h;
  phases_ = std::min(window.stride_h, last_tap + 1);
  reach_ = last_tap / window.stride_h;
  row_ = uint64_t(placed.out_w) * pixel_;
  const uint64_t planes = uint64_t(units_) * window.kernel_w * phases_;
  const uint64_t rows = kBandBytes / std::max<uint64_t>(1, planes * row_);
  const int fit = static_cast<int>(std::min<uint64_t>(rows, 1 << 20)) - reach_;
  // Bands of few rows copy most rows more than once.
  const int least = std::min(placed.out_h, std::max(4, 2 * reach_));
  band_rows_ = std::min(placed.out_h, std::max(least, fit));
  bands_ = (placed.out_h + band_rows_ - 1) / band_rows_;
  band_rows_ = (placed.out_h + bands_ - 1) / bands_;
  bands_ = (placed.out_h + band_rows_ - 1) / band_rows_;
  plane_ = uint64_t(band_rows_ + reach_) * row_;
  unit_stride_ =
      PlaneStride(uint64_t(window.kernel_w) * phases_ * plane_ + int8::kSlack, ElementType::kInt8);
  bytes_ = RoundUp(unit_stride_ * units_, kVectorBytes);
}

int64_t Int8LoweredInput::OffsetOf(int tap) const {
  const int down = tap / window_.kernel_w * window_.dilation_h, column = tap % window_.kernel_w;
  const int64_t plane = int64_t{column} * phases_ + down % window_.stride_h;
  return plane * static_cast<int64_t>(plane_) +
         down / window_.stride_h * static_cast<int64_t>(row_);
}

void Int8LoweredInput::Fill(const Tensor& input, int n, int unit, int first_row, int rows,
                            int8_t* band, const int8::Kernels& kernels) const {
  const Images in = input.images();
  const int8::ShiftRowsFn shift_rows = pixel_ == 4 ? kernels.shift_quads : kernels.shift_bytes;
  const int8_t* const from = input.bytes(n, unit);
  const auto fill = static_cast<int8_t>(input.quantization.zero_point);
  const int stride = window_.stride_h, count = rows + reach_;
  // One plane behind the other: what is written behind one is overwritten then.
  for (int column = 0; column < window_.kernel_w; ++column) {
    for (int phase = 0; phase < phases_; ++phase) {
      // Row r of the plane is row top + r * stride of the image; [begin, end) are there.
      const int top = first_row * stride + phase - placed_.pad_top;
      const int begin = std::min(count, top >= 0 ? 0 : (-top + stride - 1) / stride);
      // (Of an empty image no row is there.)
      const int behind = top >= in.h || in.w == 0 ? 0 : (in.h - top + stride - 1) / stride;
      const int end = std::max(begin, std::min(count, behind));
      int8_t* const plane =
          band + unit * unit_stride_ + (uint64_t(column) * phases_ + phase) * plane_;
      std::memset(plane, fill, begin * row_);
      const int64_t row = top + int64_t{begin} * stride;
      if (end > begin) {
        shift_rows({from + row * in.w * pixel_, static_cast<size_t>(stride) * in.w * pixel_, in.w,
                    end - begin, plane + begin * row_, placed_.out_w, window_.stride_w,
                    column * window_.dilation_w - placed_.pad_left, fill});
      }
      std::memset(plane + end * row_, fill, (count - end) * row_);
    }
  }
}

}  // namespace sbnn
