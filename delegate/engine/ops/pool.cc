#include "delegate/engine/ops/pool.h"

#include <algorithm>
#include <limits>

namespace sbnn {

Status Pool::InferShape(const std::vector<Shape>& inputs, Shape* output) const {
  if (inputs[0].size() != 4) return Status::Error("a pooling reads 4 dimensions");
  const Images image = AsImages(inputs[0]);
  PlacedWindow placed;
  const Status status = Place(window_, image, &placed);
  if (!status.ok()) return status;
  *output = {image.n, placed.out_h, placed.out_w, image.c};
  return Status();
}

// The zeros of a margin take part in a maximum, those of SAME padding do not, nor in an average.
bool Pool::AbsorbMargin(const Margin& margin) {
  if (average_ || window_.same) return false;
  window_.margin += margin;
  return true;
}

Status Pool::Plan(const std::vector<const Tensor*>& inputs, const Tensor& output,
                  const PlanContext& context, uint64_t* scratch) {
  const Images in = inputs[0]->images();
  PlacedWindow placed;
  const Status status = Place(window_, in, &placed);
  if (!status.ok()) return status;
  way_ = WayOf(placed, *inputs[0], output);
  switch (way_) {
    case Way::kWhole:
      *scratch = 0;
      break;
    case Way::kDirect:
      direct_pool_.Plan(window_, placed, in, average_, context.kernels);
      *scratch = 0;
      break;
    case Way::kSmall:
      small_pool_.Plan(window_, placed, in, average_, context.kernels.type);
      *scratch = small_pool_.bytes() * context.threads;
      break;
    case Way::kSeparable:
      separable_pool_.Plan(window_, placed, in, average_, context.kernels.type);
      *scratch = separable_pool_.bytes() * context.threads;
      break;
    case Way::kPadded:
      PlanPadded(placed, in, context, scratch);
      break;
  }
  return Status();
}

Pool::Way Pool::WayOf(const PlacedWindow& placed, const Tensor& input, const Tensor& output) const {
  const Images in = input.images();
  const bool whole = placed.out_h * placed.out_w == 1 &&
                     window_.kernel_h - placed.pad_top >= in.h &&
                     window_.kernel_w - placed.pad_left >= in.w;
  if (average_ && whole) return Way::kWhole;
  if (DirectPool::Fits(window_, placed, input, output)) return Way::kDirect;
  // (From about 7x7 with stride 1 on, the fewer operations make up for vectors that are not full.)
  const double taps = static_cast<double>(window_.kernel_h) * window_.kernel_w * placed.out_h *
                      placed.out_w / static_cast<double>(in.pixels());
  if (SmallPool::Fits(window_, in) && taps < 32) return Way::kSmall;
  return SeparablePool::Fits(window_, in) ? Way::kSeparable : Way::kPadded;
}

Status Pool::PlanRows(const std::vector<const Tensor*>& inputs, const Tensor& output,
                      const PlanContext& context, int, uint64_t* scratch) {
  const Images in = inputs[0]->images();
  PlacedWindow placed;
  const Status status = Place(window_, in, &placed);
  if (!status.ok()) return status;
  if (DirectPool::Fits(window_, placed, *inputs[0], output)) {
    way_ = Way::kDirect;
    direct_pool_.Plan(window_, placed, in, average_, context.kernels);
  } else {
    way_ = Way::kPadded;
    PlanPadded(placed, in, context, scratch);
  }
  return Status();
}

void Pool::PlanPadded(const PlacedWindow& placed, const Images& in, const PlanContext& context,
                      uint64_t* scratch) {
  rows_.Plan(window_, placed, context.kernels.type);
  row_scale_ = MetShares(placed.out_h, in.h, window_.kernel_h, window_.stride_h, placed.pad_top);
  column_scale_ =
      MetShares(placed.out_w, in.w, window_.kernel_w, window_.stride_w, placed.pad_left);
  row_scales_.Plan(row_scale_.data(), row_scale_.size(), context.kernels.type);
  column_scales_.Plan(column_scale_.data(), column_scale_.size(), context.kernels.type);
  *scratch = rows_.bytes() * context.threads;
}

void Pool::RunChannel(const Tensor& input, const Tensor& output, int n, int c, Rows rows,
                      const Kernels& kernels, void* padded) const {
  const int width = output.images().w;
  const bool ignored = window_.same && !average_;
  const float fill = ignored ? -std::numeric_limits<float>::infinity() : 0.0f;
  PoolArgs args{};
  args.rows = rows.count();
  rows_.Fill(input, n, c, rows.first, args.rows, fill, kernels, padded);
  args.x = padded;
  args.x_row_stride = rows_.row_stride();
  args.y = output.At(n, c, static_cast<size_t>(rows.first) * width);
  args.y_row_stride = width;
  args.width = width;
  args.stride = window_.stride_h;
  args.taps = window_.kernel_h * window_.kernel_w;
  args.tap_offset = rows_.tap_offset().data();
  args.row_scale = average_ ? row_scales_.From(rows.first) : nullptr;
  args.column_scale = average_ ? column_scales_.From(0) : nullptr;
  args.lo = lo_;
  args.hi = hi_;
  kernels.pool(args);
}

void Pool::Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
               const RunContext& context) const {
  const Images out = output.images();
  if (way_ == Way::kWhole) {
    const Tensor& input = *inputs[0];
    const size_t pixels = input.images().pixels();
    constexpr int kChannels = 64;  // of a task
    const int tasks = (out.c + kChannels - 1) / kChannels;
    context.team.Run(out.n * tasks, [&](int task, int) {
      const int n = task / tasks, first = task % tasks * kChannels;
      for (int c = first; c < std::min(out.c, first + kChannels); ++c) {
        const float mean = context.kernels.sum(input.At(n, c), pixels) / static_cast<float>(pixels);
        output.Set(static_cast<size_t>(n) * out.c + c, std::min(hi_, std::max(lo_, mean)));
      }
    });
    return;
  }
  if (way_ == Way::kDirect) {
    const int step = direct_pool_.channels_per_task(), tasks = (out.c + step - 1) / step;
    context.team.Run(out.n * tasks, [&](int task, int) {
      const int first = task % tasks * step;
      direct_pool_.Run(*inputs[0], output, task / tasks, first, std::min(out.c, first + step),
                       {0, out.h}, lo_, hi_);
    });
    return;
  }
  if (way_ == Way::kSmall) {
    constexpr int kStep = SmallPool::kChannels;
    const int steps = (out.c + kStep - 1) / kStep;
    context.team.Run(out.n * steps, [&](int task, int worker) {
      small_pool_.Run(*inputs[0], output, task / steps, task % steps * kStep, lo_, hi_,
                      context.kernels, context.ScratchOf(worker, small_pool_.bytes()));
    });
    return;
  }
  if (way_ == Way::kSeparable) {
    const int bands = separable_pool_.bands();
    context.team.Run(out.n * out.c * bands, [&](int task, int worker) {
      separable_pool_.Run(*inputs[0], output, task / bands / out.c, task / bands % out.c,
                          task % bands, lo_, hi_, context.kernels,
                          context.ScratchOf(worker, separable_pool_.bytes()));
    });
    return;
  }
  const int bands = rows_.bands(), band_rows = rows_.band_rows();
  context.team.Run(out.n * out.c * bands, [&](int task, int worker) {
    const int band = task % bands, c = task / bands % out.c, n = task / bands / out.c;
    const Rows rows = {band * band_rows, std::min(out.h, (band + 1) * band_rows)};
    RunChannel(*inputs[0], output, n, c, rows, context.kernels,
               context.ScratchOf(worker, rows_.bytes()));
  });
}

void Pool::RunRows(const std::vector<const Tensor*>& inputs, const Tensor& output, int n, Rows rows,
                   const RunContext& context) const {
  if (way_ == Way::kDirect) {
    return direct_pool_.Run(*inputs[0], output, n, 0, output.images().c, rows, lo_, hi_);
  }
  for (int c = 0; c < output.images().c; ++c) {
    for (int row = rows.first; row < rows.end; row += rows_.band_rows()) {
      const Rows band = {row, std::min(row + rows_.band_rows(), rows.end)};
      RunChannel(*inputs[0], output, n, c, band, context.kernels, context.scratch);
    }
  }
}

}  // namespace sbnn
