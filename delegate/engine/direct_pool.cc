#include "delegate/engine/direct_pool.h"

#include <algorithm>
#include <limits>

namespace sbnn {
namespace {

// Output pixels of a task.
constexpr int kTaskPixels = 8192;

}  // namespace

bool DirectPool::Fits(const Window& w, const PlacedWindow& placed, const Tensor& input,
                      const Tensor& output) {
  const Images in = input.images();
  const int size = w.kernel_h, stride = w.stride_h;
  const bool has_kernel = (size == 2 && stride == 2) || (size == 3 && (stride == 1 || stride == 2));
  return has_kernel && w.kernel_w == size && w.stride_w == stride && in.pixels() > 0 &&
         input.layout == Layout::kPanel && output.layout == Layout::kPanel &&
         placed.pad_left <= kMaxLanes &&
         placed.out_w * stride - placed.pad_left <= in.w + kMaxLanes;
}

void DirectPool::Plan(const Window& window, const PlacedWindow& placed, const Images& in,
                      bool average, const Kernels& kernels) {
  placed_ = placed;
  average_ = average;
  kernel_ = kernels.pool_direct[window.kernel_h == 2 ? 0 : window.stride_h];
  outside_ = window.same ? -std::numeric_limits<float>::infinity() : 0.0f;
  row_scale_ = MetShares(placed.out_h, in.h, window.kernel_h, window.stride_h, placed.pad_top);
  column_scale_ = MetShares(placed.out_w, in.w, window.kernel_w, window.stride_w, placed.pad_left);
  column_scale_.resize(column_scale_.size() + kMaxLanes);
  row_scales_.Plan(row_scale_.data(), row_scale_.size(), kernels.type);
  column_scales_.Plan(column_scale_.data(), column_scale_.size(), kernels.type);
  channels_per_task_ = std::max(1, kTaskPixels / std::max(1, placed.out_h * placed.out_w));
}

void DirectPool::Run(const Tensor& input, const Tensor& output, int n, int first, int end,
                     Rows rows, float lo, float hi) const {
  const Images in = input.images();
  PoolDirectArgs args{};
  args.x = input.At(n, first);
  args.x_stride = input.plane_stride;
  args.in_h = in.h;
  args.in_w = in.w;
  args.y = output.At(n, first);
  args.y_stride = output.plane_stride;
  args.out_w = placed_.out_w;
  args.first_row = rows.first;
  args.end_row = rows.end;
  args.channels = end - first;
  args.pad_top = placed_.pad_top;
  args.pad_left = placed_.pad_left;
  args.row_scale = average_ ? row_scales_.From(0) : nullptr;
  args.column_scale = average_ ? column_scales_.From(0) : nullptr;
  args.outside = outside_;
  args.lo = lo;
  args.hi = hi;
  kernel_(args);
}

}  // namespace sbnn
