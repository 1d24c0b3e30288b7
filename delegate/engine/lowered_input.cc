#include "delegate/engine/lowered_input.h"

#include <algorithm>
#include <cstring>
#include <numeric>

namespace sbnn {
namespace {

// A band should stay in the L2 cache, or near it; larger ones overlap less.
constexpr size_t kBandElements = 196608;

// A row of so many vectors makes tiles wide enough.
constexpr int kWideRow = 5;

}  // namespace

void LoweredInput::Plan(const Window& window, const PlacedWindow& placed, const Images& in,
                        bool flat, const Kernels& kernels, int workers) {
  SetForm(window, placed, flat, kernels);
  const int out_h = placed.out_h;
  SetBand(out_h, in);
  if (elements_ > kBandElements) {
    // Bands that overlap by little, and end with a whole vector.
    const int reach = PlaneRows(0);
    const uint64_t row = elements_ / PlaneRows(out_h);
    const int step = padded_ ? 1 : kernels.lanes / std::gcd(kernels.lanes, placed.out_w);
    int rows = std::max(static_cast<int>(kBandElements / row) - reach, 2 * reach);
    rows = static_cast<int>(RoundUp(std::max(1, rows), step));
    const int bands = (out_h + rows - 1) / rows;
    rows = static_cast<int>(RoundUp((out_h + bands - 1) / bands, step));
    if (bands > 1 && bands >= workers) SetBand(rows, in);
  }
  bands_ = (out_h + band_rows_ - 1) / band_rows_;
  SetTaps();
}

void LoweredInput::PlanBand(const Window& window, const PlacedWindow& placed, const Images& in,
                            bool flat, const Kernels& kernels, int band_rows) {
  SetForm(window, placed, flat, kernels);
  SetBand(band_rows, in);
  SetTaps();
}

void LoweredInput::SetForm(const Window& window, const PlacedWindow& placed, bool flat,
                           const Kernels& kernels) {
  const int lanes = kernels.lanes;
  type_ = kernels.type;
  window_ = window;
  placed_ = placed;
  const int out_w = placed.out_w;
  // Gathering pixels from the outside's layout is too slow to do it for each column of the window.
  padded_ = out_w % lanes == 0 && window.kernel_w > 1 && (flat || out_w >= kWideRow * lanes);
  copies_ = padded_ ? window.stride_w : window.kernel_w;
  const int reach_w = (window.kernel_w - 1) * window.dilation_w / window.stride_w;
  // Padded rows begin at a cache line.
  length_ = padded_ ? RoundUp(out_w + reach_w, kMaxLanes) : out_w;
  // Which rows a tap meets, modulo the stride, tells the phase.
  vertical_phases_ = 1;
  for (int k = 0; k < window.kernel_h; ++k) {
    vertical_phases_ = std::max(vertical_phases_, k * window.dilation_h % window.stride_h + 1);
  }
}

void LoweredInput::SetTaps() {
  tap_offset_.clear();
  for (int ky = 0; ky < window_.kernel_h; ++ky) {
    for (int kx = 0; kx < window_.kernel_w; ++kx) {
      const int y = ky * window_.dilation_h, x = kx * window_.dilation_w;
      const int copy = padded_ ? x % window_.stride_w : kx;
      const uint64_t plane = static_cast<uint64_t>(y % window_.stride_h) * copies_ + copy;
      tap_offset_.push_back(static_cast<int64_t>(plane * plane_ + y / window_.stride_h * length_) +
                            (padded_ ? x / window_.stride_w : 0));
    }
  }
}

void LoweredInput::SetBand(int band_rows, const Images& in) {
  band_rows_ = band_rows;
  plane_ = PlaneRows(band_rows) * length_;
  // Room behind a plane of padded rows for vectors that begin at a valid pixel.
  if (padded_) plane_ = RoundUp(plane_ + 2 * kMaxLanes, kMaxLanes);
  channel_stride_ = PlaneStride(plane_ * copies_ * vertical_phases_ + 2 * kMaxLanes);
  elements_ = channel_stride_ * in.c + 16 * kMaxLanes;
}

int LoweredInput::EndRow(const Images& in, int first_row, int rows) const {
  const int last = (first_row + rows - 1) * window_.stride_h - placed_.pad_top +
                   (window_.kernel_h - 1) * window_.dilation_h;
  return in.w == 0 ? 0 : std::min(in.h, last + 1);  // of an empty image no row is there
}

void LoweredInput::Fill(const Tensor& input, int n, int c, int first_row, int rows, void* band,
                        const Kernels& kernels) const {
  void* const to = Advance(band, c * channel_stride_, kernels.type);
  if (padded_) {
    FillPadded(input, n, c, first_row, rows, to, kernels);
  } else {
    FillShifted(input, n, c, first_row, rows, to, kernels);
  }
}

void LoweredInput::FillShifted(const Tensor& input, int n, int c, int first_row, int rows,
                               void* first, const Kernels& kernels) const {
  const Images in = input.images();
  const int plane_rows = PlaneRows(rows), end_row = EndRow(in, first_row, rows);
  const int sh = window_.stride_h;
  ShiftRowsArgs args{};
  args.x_stride = input.layout == Layout::kFlat ? std::max(in.c, 2) : 1;
  args.x_row_stride = args.x_stride * in.w * sh;
  args.width = in.w;
  args.length = static_cast<int>(length_);
  args.stride = window_.stride_w;
  const size_t bytes = BytesOf(kernels.type);
  char* to = static_cast<char*>(first);
  for (int phase = 0; phase < vertical_phases_; ++phase) {
    // Rows [begin, end) of the plane have a source: row r is the image's (first_row + r) * sh +
    // phase - pad_top.
    const int top = first_row * sh + phase - placed_.pad_top;
    const int begin = top >= 0 ? 0 : std::min(plane_rows, (-top + sh - 1) / sh);
    const int there = std::max(0, end_row - top + sh - 1) / sh;
    const int end = std::max(begin, std::min(plane_rows, there));
    for (int k = 0; k < copies_; ++k, to += plane_ * bytes) {
      std::memset(to, 0, begin * length_ * bytes);
      if (begin < end) {
        args.x = input.At(n, c, static_cast<size_t>(top + begin * sh) * in.w * args.x_stride);
        args.rows = end - begin;
        args.y = to + begin * length_ * bytes;
        args.shift = k * window_.dilation_w - placed_.pad_left;
        kernels.shift_rows(args);
      }
      std::memset(to + end * length_ * bytes, 0, (plane_rows - end) * length_ * bytes);
    }
  }
}

void LoweredInput::FillPadded(const Tensor& input, int n, int c, int first_row, int rows, void* to,
                              const Kernels& kernels) const {
  const Images in = input.images();
  const int end_row = EndRow(in, first_row, rows);
  const int sh = window_.stride_h;
  PadRowArgs args{};
  // (A flat image of one channel has one pixel: any stride but 1 keeps vectors off the caller's
  // data.)
  args.x_stride = input.layout == Layout::kFlat ? std::max(in.c, 2) : 1;
  args.width = in.w;
  args.phase_stride = plane_;
  args.stride = window_.stride_w;
  args.pad = placed_.pad_left;
  args.length = static_cast<int>(length_);
  for (int y = 0; y < PlaneRows(rows) * sh; ++y) {
    if (y % sh >= vertical_phases_) continue;
    const int source = first_row * sh + y - placed_.pad_top;
    args.x = source >= 0 && source < end_row
                 ? input.At(n, c, static_cast<size_t>(source) * in.w * args.x_stride)
                 : nullptr;
    args.y = Advance(to, static_cast<size_t>(y % sh) * copies_ * plane_ + y / sh * length_,
                     kernels.type);
    kernels.pad_row(args);
  }
}

}  // namespace sbnn
