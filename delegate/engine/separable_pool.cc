#include "delegate/engine/separable_pool.h"

#include <algorithm>
#include <limits>

namespace sbnn {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Reduced rows that a band has at once: with what they are made of, a part of the L2 cache.
constexpr size_t kBandElements = 4096;

}  // namespace

bool SeparablePool::Fits(const Window& window, const Images& in) {
  const Margin& m = window.margin;
  return in.pixels() > 1 && m.top + m.bottom + m.left + m.right == 0;
}

void SeparablePool::Plan(const Window& window, const PlacedWindow& placed, const Images& in,
                         bool average, ElementType type) {
  window_ = window;
  placed_ = placed;
  average_ = average;
  const int stride = window.stride_w;
  phase_length_ = placed.out_w + (window.kernel_w - 1) / stride;
  in_place_ = stride == 1 && placed.pad_left == 0 && phase_length_ <= in.w;
  // Room for vectors that spill over the end of a row or phase.
  const auto with_room = [](size_t length) {
    return (length + 2 * kMaxLanes) / kMaxLanes * kMaxLanes;
  };
  reduced_row_ = with_room(in.w);
  phase_stride_ = with_room(phase_length_);
  const size_t padded_row = in_place_ ? 0 : phase_stride_ * stride;
  const size_t row = reduced_row_ + padded_row;
  band_rows_ =
      static_cast<int>(std::clamp<size_t>(kBandElements / row, 1, std::max(1, placed.out_h)));
  bytes_ = RoundUp((uint64_t{row} * band_rows_ + 2 * kMaxLanes) * BytesOf(type), kVectorBytes);

  rows_.clear();
  for (int y = 0; y < placed.out_h; ++y) {
    rows_.push_back(MetBy(y, in.h, window.kernel_h, window.stride_h, placed.pad_top));
  }
  row_scale_ = MetShares(placed.out_h, in.h, window.kernel_h, window.stride_h, placed.pad_top);
  column_scale_ = MetShares(placed.out_w, in.w, window.kernel_w, stride, placed.pad_left);
  ones_.assign(std::max(in.w, placed.out_h) + kMaxLanes, 1.0f);
  row_scales_.Plan(row_scale_.data(), row_scale_.size(), type);
  column_scales_.Plan(column_scale_.data(), column_scale_.size(), type);
  one_values_.Plan(ones_.data(), ones_.size(), type);
  row_taps_.clear();
  for (int ky = 0; ky < window.kernel_h; ++ky) row_taps_.push_back(ky * in.w);
  column_taps_.clear();
  for (int kx = 0; kx < window.kernel_w; ++kx) {
    column_taps_.push_back(static_cast<int32_t>(kx % stride * phase_stride_ + kx / stride));
  }
}

void SeparablePool::Run(const Tensor& input, const Tensor& output, int n, int c, int band, float lo,
                        float hi, const Kernels& kernels, void* scratch) const {
  const Images in = input.images();
  const int first = band * band_rows_, end = std::min(placed_.out_h, first + band_rows_);
  void* const reduced = scratch;
  const auto reduced_row = [&](int y) {
    return Advance(reduced, (y - first) * reduced_row_, kernels.type);
  };
  PoolArgs vertical{};
  vertical.x_row_stride = in.w;
  vertical.y_row_stride = reduced_row_;
  vertical.width = in.w;
  vertical.stride = window_.stride_h;
  vertical.tap_offset = row_taps_.data();
  vertical.column_scale = average_ ? one_values_.From(0) : nullptr;
  vertical.lo = -kInfinity;
  vertical.hi = kInfinity;
  for (int y = first; y < end;) {
    // Rows whose windows meet as many, a stride apart, are one call.
    const Met met = rows_[y];
    int rows = 1;
    while (y + rows < end && rows_[y + rows].count == met.count &&
           rows_[y + rows].first == met.first + rows * window_.stride_h) {
      ++rows;
    }
    vertical.x = input.At(n, c, static_cast<size_t>(met.first) * in.w);
    vertical.y = reduced_row(y);
    vertical.rows = rows;
    vertical.taps = met.count;
    vertical.row_scale = average_ ? row_scales_.From(y) : nullptr;
    kernels.pool(vertical);
    y += rows;
  }

  PoolArgs horizontal{};
  horizontal.x = reduced;
  horizontal.x_row_stride = reduced_row_;
  if (!in_place_) {
    void* const padded = reduced_row(end);
    horizontal.x = padded;
    horizontal.x_row_stride = phase_stride_ * window_.stride_w;
    PadRowArgs pad{};
    pad.x_stride = 1;
    pad.width = in.w;
    pad.phase_stride = phase_stride_;
    pad.stride = window_.stride_w;
    pad.pad = placed_.pad_left;
    pad.length = phase_length_;
    pad.fill = average_ ? 0.0f : -kInfinity;
    for (int y = first; y < end; ++y) {
      pad.x = reduced_row(y);
      pad.y = Advance(padded, (y - first) * horizontal.x_row_stride, kernels.type);
      kernels.pad_row(pad);
    }
  }
  horizontal.y = output.At(n, c, static_cast<size_t>(first) * placed_.out_w);
  horizontal.y_row_stride = placed_.out_w;
  horizontal.rows = end - first;
  horizontal.width = placed_.out_w;
  horizontal.stride = 1;
  horizontal.taps = window_.kernel_w;
  horizontal.tap_offset = column_taps_.data();
  horizontal.row_scale = average_ ? one_values_.From(0) : nullptr;
  horizontal.column_scale = average_ ? column_scales_.From(0) : nullptr;
  horizontal.lo = lo;
  horizontal.hi = hi;
  kernels.pool(horizontal);
}

}  // namespace sbnn
