#include "delegate/engine/padded_rows.h"

#include <algorithm>

namespace sbnn {
namespace {

// Padded rows of one channel that fit half of a small L1 cache.
constexpr size_t kBandElements = 4096;

}  // namespace

void PaddedRows::Plan(const Window& window, const PlacedWindow& placed, ElementType type) {
  window_ = window;
  placed_ = placed;
  const int sw = window.stride_w;
  phase_length_ = placed.out_w + (window.kernel_w - 1) * window.dilation_w / sw;
  // Room for vectors that spill over the end of a phase.
  phase_stride_ = (phase_length_ + 2 * kMaxLanes) / kMaxLanes * kMaxLanes;
  row_stride_ = phase_stride_ * sw;
  const int reach = (window.kernel_h - 1) * window.dilation_h + 1;  // rows of one output row
  const int room = static_cast<int>(kBandElements / row_stride_) - reach;
  band_rows_ = std::min(placed.out_h, std::max(4, room / window.stride_h / 4 * 4));
  bands_ = (placed.out_h + band_rows_ - 1) / band_rows_;
  const uint64_t rows = (band_rows_ - 1) * window.stride_h + reach;
  bytes_ = RoundUp((row_stride_ * rows + 2 * kMaxLanes) * BytesOf(type), kVectorBytes);
  tap_offset_.clear();
  for (int ky = 0; ky < window.kernel_h; ++ky) {
    for (int kx = 0; kx < window.kernel_w; ++kx) {
      const int x = kx * window.dilation_w;
      tap_offset_.push_back(static_cast<int32_t>(ky * window.dilation_h * row_stride_ +
                                                 x % sw * phase_stride_ + x / sw));
    }
  }
}

void PaddedRows::Fill(const Tensor& input, int n, int c, int first_row, int rows, float fill,
                      const Kernels& kernels, void* padded) const {
  const Images in = input.images();
  const int reach = (window_.kernel_h - 1) * window_.dilation_h + 1;
  const int first_source = first_row * window_.stride_h - placed_.pad_top;
  PadRowArgs args{};
  // A flat image has one pixel: any stride but 1 keeps vectors off the caller's data.
  args.x_stride = input.layout == Layout::kFlat ? 2 : 1;
  args.width = in.w;
  args.phase_stride = phase_stride_;
  args.stride = window_.stride_w;
  args.pad = placed_.pad_left;
  args.length = phase_length_;
  args.fill = fill;
  for (int i = 0; i < (rows - 1) * window_.stride_h + reach; ++i) {
    const int source = first_source + i;
    const bool inside = source >= 0 && source < in.h;
    args.x = inside ? input.At(n, c, static_cast<size_t>(source) * in.w) : nullptr;
    args.y = Advance(padded, i * row_stride_, kernels.type);
    kernels.pad_row(args);
  }
}

}  // namespace sbnn
