#include "delegate/engine/ops/convolution.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <string>
#include <utility>

namespace sbnn {
namespace {

size_t RoundUp(size_t value, size_t step) { return (value + step - 1) / step * step; }

}  // namespace

Convolution::Convolution(std::shared_ptr<const PackedWeights> weights, const Window& window,
                         float lo, float hi)
    : weights_(std::move(weights)), window_(window), lo_(lo), hi_(hi) {}

Status Convolution::InferShape(const std::vector<Shape>& inputs, Shape* output) const {
  if (inputs[0].size() != 4) return Status::Error("a convolution reads 4 dimensions");
  const Images image = AsImages(inputs[0]);
  if (image.c != weights_->inputs) {
    return Status::Error("a filter of " + std::to_string(weights_->inputs) +
                         " input channels meets " + std::to_string(image.c));
  }
  PlacedWindow placed;
  const Status status = Place(window_, image, &placed);
  if (!status.ok()) return status;
  *output = {image.n, placed.out_h, placed.out_w, weights_->outputs};
  return Status();
}

bool Convolution::Pointwise(const Images& image) const {
  const Margin& m = window_.margin;
  const bool one_tap = window_.kernel_h == 1 && window_.kernel_w == 1;
  const bool no_step = (window_.stride_h == 1 || image.h == 1) && (window_.stride_w == 1 || image.w == 1);
  return one_tap && no_step && m.top + m.bottom + m.left + m.right == 0;
}

// Few channels: the padded copy gathers them from the outside's layout at no extra cost. (A single
// channel is contiguous there, but a vector may not be read past the caller's buffer.)
bool Convolution::TakesFlatImages(const Shape& shape) const {
  const Images image = AsImages(shape);
  return image.c > 1 && image.c <= 4 && !Pointwise(image);
}

bool Convolution::AbsorbMargin(const Margin& margin) {
  window_.margin.top += margin.top;
  window_.margin.bottom += margin.bottom;
  window_.margin.left += margin.left;
  window_.margin.right += margin.right;
  return true;
}

Status Convolution::PlanOffsets(size_t channel_stride, const std::vector<int64_t>& tap_offset) {
  offset_bytes_.resize(weights_->columns.size());
  for (size_t i = 0; i < offset_bytes_.size(); ++i) {
    const int column = weights_->columns[i];
    const int64_t offset = static_cast<int64_t>(column / weights_->taps * channel_stride) +
                           tap_offset[column % weights_->taps];
    const int64_t bytes = offset * static_cast<int64_t>(sizeof(float));
    if (bytes > std::numeric_limits<int32_t>::max()) {
      return Status::Error("an image of more than 2 GiB");
    }
    offset_bytes_[i] = static_cast<int32_t>(bytes);
  }
  return Status();
}

Status Convolution::Plan(const std::vector<const Tensor*>& inputs, const Tensor& output,
                         const PlanContext& context, size_t* scratch) {
  const Tensor& input = *inputs[0];
  const Images in = input.images(), out = output.images();
  const size_t lanes = context.kernels.lanes;
  const int widest = context.kernels.tile_vectors[GroupIndex(weights_->group)];
  if (Pointwise(in)) {
    if (in.pixels() == 1) return Status();  // spmv needs no plan
    const Status status = PlanOffsets(input.plane_stride, {0});
    if (!status.ok()) return status;
    grid_ = MakeGrid(*weights_, (in.pixels() + lanes - 1) / lanes, widest, context.threads);
    return Status();
  }

  Status status = Place(window_, in, &padded_.placed);
  if (!status.ok()) return status;
  const int reach_h = (window_.kernel_h - 1) * window_.dilation_h;
  const int reach_w = (window_.kernel_w - 1) * window_.dilation_w;
  padded_.rows = out.h + reach_h / window_.stride_h;
  padded_.length = out.w + reach_w / window_.stride_w;
  by_rows_ = out.w % lanes == 0;
  if (by_rows_) padded_.length = RoundUp(padded_.length, lanes);  // rows begin at a cache line
  // Room behind the last row for vectors that begin at a valid pixel.
  padded_.plane = RoundUp(static_cast<size_t>(padded_.rows) * padded_.length + 2 * kMaxLanes, kMaxLanes);
  padded_.channel = PlaneStride(padded_.plane * window_.stride_h * window_.stride_w);
  padded_.size = padded_.channel * in.c + 16 * kMaxLanes;
  std::vector<int64_t> tap_offset;
  for (int ky = 0; ky < window_.kernel_h; ++ky) {
    for (int kx = 0; kx < window_.kernel_w; ++kx) {
      const int y = ky * window_.dilation_h, x = kx * window_.dilation_w;
      const int phase = y % window_.stride_h * window_.stride_w + x % window_.stride_w;
      tap_offset.push_back(static_cast<int64_t>(phase * padded_.plane) +
                           y / window_.stride_h * padded_.length + x / window_.stride_w);
    }
  }
  status = PlanOffsets(padded_.channel, tap_offset);
  if (!status.ok()) return status;
  // Output pixels are counted along the padded rows; those between two rows are dropped.
  const size_t pixels =
      by_rows_ ? out.w : static_cast<size_t>(out.h - 1) * padded_.length + out.w;
  grid_ = MakeGrid(*weights_, (pixels + lanes - 1) / lanes, widest, context.threads);
  tile_floats_ = by_rows_ ? 0 : RoundUp(out.c, kChannelStep) * widest * lanes;
  *scratch = padded_.size + tile_floats_ * context.threads;
  return Status();
}

SpmmArgs Convolution::Args(const float* x, float* y, size_t y_stride) const {
  return {x,
          y,
          y_stride,
          weights_->group_begin.data(),
          offset_bytes_.data(),
          weights_->values.data(),
          weights_->bias.data(),
          0,
          static_cast<uint32_t>(weights_->groups()),
          lo_,
          hi_};
}

void Convolution::Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
                      const RunContext& context) const {
  const Tensor& input = *inputs[0];
  const Images in = input.images();
  if (!Pointwise(in)) {
    RunPadded(input, output, context);
  } else if (in.pixels() == 1) {
    for (int n = 0; n < in.n; ++n) {
      RunSpmv(*weights_, input.data + n * in.c, output.data + n * weights_->outputs, lo_, hi_, context);
    }
  } else {
    RunPointwise(input, output, context);
  }
}

void Convolution::RunPointwise(const Tensor& input, const Tensor& output,
                               const RunContext& context) const {
  const SpmmFn* const spmm = context.kernels.spmm[GroupIndex(weights_->group)];
  const int lanes = context.kernels.lanes;
  context.team.Run(input.images().n * grid_.tasks(), [&](int task, int) {
    const int n = task / grid_.tasks(), part = task % grid_.tasks();
    const int tile = part / grid_.chunks(), chunk = part % grid_.chunks();
    const uint32_t vector = grid_.tile_begin[tile];
    SpmmArgs args = Args(input.Plane(n, 0) + vector * lanes, output.Plane(n, 0) + vector * lanes,
                         output.plane_stride);
    args.first_group = grid_.group_begin[chunk];
    args.end_group = grid_.group_begin[chunk + 1];
    spmm[grid_.tile_begin[tile + 1] - vector - 1](args);
  });
}

void Convolution::PadChannel(const Tensor& input, int n, int c, float* padded,
                             const Kernels& kernels) const {
  const Images in = input.images();
  const bool flat = input.layout == Layout::kFlat;
  // (A flat image of one channel has one pixel: any stride but 1 keeps vectors off the caller's data.)
  const size_t pixel_stride = flat ? std::max(in.c, 2) : 1;
  const float* const first = flat ? input.data + n * input.image_stride + c : input.Plane(n, c);
  const int sh = window_.stride_h, sw = window_.stride_w;
  for (int y = 0; y < padded_.rows * sh; ++y) {
    const int source = y - padded_.placed.pad_top;
    PadRowArgs args{};
    if (source >= 0 && source < in.h) args.x = first + static_cast<size_t>(source) * in.w * pixel_stride;
    args.x_stride = pixel_stride;
    args.width = in.w;
    args.y = padded + c * padded_.channel + y % sh * sw * padded_.plane +
             static_cast<size_t>(y / sh) * padded_.length;
    args.phase_stride = padded_.plane;
    args.stride = sw;
    args.pad = padded_.placed.pad_left;
    args.length = padded_.length;
    kernels.pad_row(args);
  }
}

void Convolution::RunPadded(const Tensor& input, const Tensor& output,
                            const RunContext& context) const {
  const Images in = input.images(), out = output.images();
  for (int n = 0; n < in.n; ++n) {
    context.team.Run(in.c, [&](int c, int) {
      PadChannel(input, n, c, context.scratch, context.kernels);
    });
    if (by_rows_) {
      context.team.Run(grid_.tasks() * out.h,
                       [&](int task, int) { RunRowTile(output, n, task, context); });
    } else {
      context.team.Run(grid_.tasks(),
                       [&](int task, int worker) { RunTile(output, n, task, worker, context); });
    }
  }
}

void Convolution::RunRowTile(const Tensor& output, int n, int task,
                             const RunContext& context) const {
  const size_t row = task / grid_.tasks();
  const int tile = task % grid_.tasks() / grid_.chunks(), chunk = task % grid_.chunks();
  const uint32_t vector = grid_.tile_begin[tile];
  const size_t column = static_cast<size_t>(vector) * context.kernels.lanes;
  SpmmArgs args = Args(context.scratch + row * padded_.length + column,
                       output.Plane(n, 0) + row * output.images().w + column, output.plane_stride);
  args.first_group = grid_.group_begin[chunk];
  args.end_group = grid_.group_begin[chunk + 1];
  const int vectors = grid_.tile_begin[tile + 1] - vector;
  context.kernels.spmm[GroupIndex(weights_->group)][vectors - 1](args);
}

// A tile that runs over the ends of rows: its valid pixels are copied out of the padded rows.
void Convolution::RunTile(const Tensor& output, int n, int task, int worker,
                          const RunContext& context) const {
  const Images out = output.images();
  const size_t lanes = context.kernels.lanes;
  const int tile = task / grid_.chunks(), chunk = task % grid_.chunks();
  const size_t first = grid_.tile_begin[tile] * lanes;
  const size_t last = grid_.tile_begin[tile + 1] * lanes;
  float* const result = context.scratch + padded_.size + worker * tile_floats_;
  SpmmArgs args = Args(context.scratch + first, result, last - first);
  args.first_group = grid_.group_begin[chunk];
  args.end_group = grid_.group_begin[chunk + 1];
  context.kernels.spmm[GroupIndex(weights_->group)][(last - first) / lanes - 1](args);

  const int group = weights_->group;
  const int c_end = std::min<int>(out.c, args.end_group * group);
  for (size_t row = first / padded_.length; row * padded_.length < last; ++row) {
    if (row >= static_cast<size_t>(out.h)) break;
    const size_t begin = std::max(first, row * padded_.length);
    const size_t end = std::min(last, row * padded_.length + out.w);
    if (begin >= end) continue;
    const size_t column = begin - row * padded_.length;
    for (int c = args.first_group * group; c < c_end; ++c) {
      float* const y = output.layout == Layout::kPanel
                           ? output.Plane(n, c) + row * out.w + column
                           : output.data + static_cast<size_t>(n) * out.c + c;
      std::memcpy(y, result + c * (last - first) + (begin - first), (end - begin) * sizeof(float));
    }
  }
}

}  // namespace sbnn
