#include "delegate/engine/small_pool.h"

#include <algorithm>
#include <map>
#include <utility>

namespace sbnn {
namespace {

// Of larger planes, rows fill vectors, and what is transposed leaves the caches.
constexpr size_t kMostPixels = 1024;

const float kOnes[SmallPool::kChannels] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};

}  // namespace

bool SmallPool::Fits(const Window& window, const Images& in) {
  const Margin& m = window.margin;
  return in.pixels() <= kMostPixels && m.top + m.bottom + m.left + m.right == 0;
}

void SmallPool::Plan(const Window& window, const PlacedWindow& placed, const Images& in,
                     bool average, ElementType type) {
  average_ = average;
  step_ = window.stride_w;
  pixels_ = in.pixels();
  stretches_.clear();
  tap_offset_.clear();
  scales_.clear();
  std::map<std::pair<int, int>, size_t> first_tap;  // by rows and columns
  for (int y = 0; y < placed.out_h; ++y) {
    const Met rows = MetBy(y, in.h, window.kernel_h, window.stride_h, placed.pad_top);
    for (int x = 0; x < placed.out_w; ++x) {
      const Met columns = MetBy(x, in.w, window.kernel_w, window.stride_w, placed.pad_left);
      const size_t output = scales_.size();
      const size_t input = static_cast<size_t>(rows.first) * in.w + columns.first;
      scales_.push_back(1.0f / static_cast<float>(rows.count * columns.count));
      if (x > 0) {
        Stretch& last = stretches_.back();
        const size_t next = last.input + static_cast<size_t>(last.count) * step_;
        if (last.columns == columns.count && next == input) {
          ++last.count;
          continue;
        }
      }
      const auto taps = first_tap.insert({{rows.count, columns.count}, tap_offset_.size()});
      stretches_.push_back({output, 1, input, rows.count, columns.count, taps.first->second});
      if (!taps.second) continue;
      for (int ky = 0; ky < rows.count; ++ky) {
        for (int kx = 0; kx < columns.count; ++kx) {
          tap_offset_.push_back((ky * in.w + kx) * kChannels);
        }
      }
    }
  }
  bytes_ = RoundUp(uint64_t{pixels_ + scales_.size()} * kChannels * BytesOf(type), kVectorBytes);
  scale_values_.Plan(scales_.data(), scales_.size(), type);
  ones_.Plan(kOnes, kChannels, type);
}

void SmallPool::Run(const Tensor& input, const Tensor& output, int n, int first, float lo, float hi,
                    const Kernels& kernels, void* scratch) const {
  const size_t channels = std::min(kChannels, output.images().c - first);
  void* const x = scratch;  // [pixels][kChannels], and so is y
  void* const y = Advance(x, pixels_ * kChannels, kernels.type);
  kernels.transpose({input.At(n, first), input.plane_stride, x, kChannels, channels, pixels_});
  PoolArgs args{};
  args.x_row_stride = kChannels;
  args.y_row_stride = kChannels;
  args.width = kChannels;
  args.stride = step_;
  args.column_scale = average_ ? ones_.From(0) : nullptr;
  args.lo = lo;
  args.hi = hi;
  for (const Stretch& s : stretches_) {
    args.x = Advance(x, s.input * kChannels, kernels.type);
    args.y = Advance(y, s.output * kChannels, kernels.type);
    args.rows = s.count;
    args.taps = s.rows * s.columns;
    args.tap_offset = tap_offset_.data() + s.first_tap;
    args.row_scale = average_ ? scale_values_.From(s.output) : nullptr;
    kernels.pool(args);
  }
  kernels.transpose(
      {y, kChannels, output.At(n, first), output.plane_stride, scales_.size(), channels});
}

}  // namespace sbnn
