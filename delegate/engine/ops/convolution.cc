#include "delegate/engine/ops/convolution.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <string>
#include <utility>

namespace sbnn {
namespace {

// Floats of a padded band: with the weights it should stay in the L2 cache.
constexpr size_t kBandFloats = 32768;

}  // namespace

Convolution::Convolution(std::shared_ptr<const PackedWeights> weights, const Window& window,
                         float lo, float hi)
    : weights_(std::move(weights)), window_(window), limits_{false, lo, hi} {}

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
  const bool no_step =
      (window_.stride_h == 1 || image.h == 1) && (window_.stride_w == 1 || image.w == 1);
  return one_tap && no_step && m.top + m.bottom + m.left + m.right == 0;
}

// Few channels: the padded copy gathers them from the outside's layout at no extra cost. (A single
// channel is contiguous there, but a vector may not be read past the caller's buffer.)
bool Convolution::TakesFlatImages(const Shape& shape) const {
  const Images image = AsImages(shape);
  return image.c > 1 && image.c <= 4 && !Pointwise(image);
}

bool Convolution::AbsorbMargin(const Margin& margin) {
  window_.margin += margin;
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
  epilogue_ = limits_;
  epilogue_.Then(context.epilogue);
  const Tensor& input = *inputs[0];
  const Images in = input.images(), out = output.images();
  const size_t lanes = context.kernels.lanes;
  if (Pointwise(in)) {
    if (in.pixels() == 1) return Status();  // spmv needs no plan
    const Status status = PlanOffsets(input.plane_stride, {0});
    if (!status.ok()) return status;
    grid_ = MakeGrid(*weights_, in.pixels(), context.kernels, context.threads);
    return Status();
  }

  Status status = Place(window_, in, &band_.placed);
  if (!status.ok()) return status;
  by_rows_ = out.w % lanes == 0;
  PlaceBand(in, out, out.h);
  bands_ = 1;
  const size_t wanted = (band_.size + kBandFloats - 1) / kBandFloats;
  if (wanted >= 2 * static_cast<size_t>(context.threads)) {
    const int rows = (out.h + static_cast<int>(wanted) - 1) / static_cast<int>(wanted);
    PlaceBand(in, out, std::max(1, rows));
    bands_ = (out.h + band_.out_rows - 1) / band_.out_rows;
  }
  std::vector<int64_t> tap_offset;
  for (int ky = 0; ky < window_.kernel_h; ++ky) {
    for (int kx = 0; kx < window_.kernel_w; ++kx) {
      const int y = ky * window_.dilation_h, x = kx * window_.dilation_w;
      const int phase = y % window_.stride_h * window_.stride_w + x % window_.stride_w;
      tap_offset.push_back(static_cast<int64_t>(phase * band_.plane) +
                           y / window_.stride_h * band_.length + x / window_.stride_w);
    }
  }
  status = PlanOffsets(band_.channel, tap_offset);
  if (!status.ok()) return status;
  // Output pixels are counted along the padded rows; those between two rows are dropped.
  const size_t pixels =
      by_rows_ ? out.w : static_cast<size_t>(band_.out_rows - 1) * band_.length + out.w;
  grid_ = MakeGrid(*weights_, pixels, context.kernels, bands_ == 1 ? context.threads : 1);
  // The first tile is the widest, but for the last one's tail.
  const size_t widest =
      RoundUp(std::max(grid_.tiles.front().width, grid_.tiles.back().width), lanes);
  band_.result = by_rows_ ? 0 : RoundUp(out.c, kChannelStep) * widest;
  // A band a worker, or one band for all of them.
  *scratch = band_.size * (bands_ == 1 ? 1 : context.threads) + band_.result * context.threads;
  return Status();
}

void Convolution::PlaceBand(const Images& in, const Images& out, int out_rows) {
  const int reach_h = (window_.kernel_h - 1) * window_.dilation_h;
  const int reach_w = (window_.kernel_w - 1) * window_.dilation_w;
  band_.out_rows = out_rows;
  band_.rows = out_rows + reach_h / window_.stride_h;
  band_.length = out.w + reach_w / window_.stride_w;
  if (by_rows_) band_.length = RoundUp(band_.length, kMaxLanes);  // rows begin at a cache line
  // Room behind the last row for vectors that begin at a valid pixel.
  band_.plane = RoundUp(static_cast<size_t>(band_.rows) * band_.length + 2 * kMaxLanes, kMaxLanes);
  band_.channel = PlaneStride(band_.plane * window_.stride_h * window_.stride_w);
  band_.size = band_.channel * in.c + 16 * kMaxLanes;
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
          epilogue_.lo,
          epilogue_.hi,
          nullptr};
}

void Convolution::Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
                      const RunContext& context) const {
  const Tensor& input = *inputs[0];
  const Tensor* const add = epilogue_.add ? inputs.back() : nullptr;
  const Images in = input.images();
  if (!Pointwise(in)) {
    RunBands(input, add, output, context);
  } else if (in.pixels() == 1) {
    for (int n = 0; n < in.n; ++n) {
      RunSpmv(*weights_, input.data + n * in.c, output.data + n * weights_->outputs, epilogue_.lo,
              epilogue_.hi, context);
    }
  } else {
    RunPointwise(input, add, output, context);
  }
}

void Convolution::RunPointwise(const Tensor& input, const Tensor* add, const Tensor& output,
                               const RunContext& context) const {
  context.team.Run(input.images().n * grid_.tasks(), [&](int task, int) {
    const int n = task / grid_.tasks(), part = task % grid_.tasks();
    const Tile& tile = grid_.tiles[part / grid_.chunks()];
    const int chunk = part % grid_.chunks();
    SpmmArgs args =
        Args(input.Plane(n, 0) + tile.first, output.Plane(n, 0) + tile.first, output.plane_stride);
    if (add != nullptr) args.add = add->Plane(n, 0) + tile.first;
    args.first_group = grid_.group_begin[chunk];
    args.end_group = grid_.group_begin[chunk + 1];
    tile.spmm(args);
  });
}

void Convolution::PadChannel(const Tensor& input, int n, int c, int first_row, float* padded,
                             const Kernels& kernels) const {
  const Images in = input.images();
  const bool flat = input.layout == Layout::kFlat;
  // (A flat image of one channel has one pixel: any stride but 1 keeps vectors off the caller's
  // data.)
  const size_t pixel_stride = flat ? std::max(in.c, 2) : 1;
  const float* const first = input.Plane(n, c);
  const int sh = window_.stride_h, sw = window_.stride_w;
  for (int y = 0; y < band_.rows * sh; ++y) {
    const int source = first_row * sh + y - band_.placed.pad_top;
    PadRowArgs args{};
    if (source >= 0 && source < in.h)
      args.x = first + static_cast<size_t>(source) * in.w * pixel_stride;
    args.x_stride = pixel_stride;
    args.width = in.w;
    args.y = padded + c * band_.channel + y % sh * sw * band_.plane +
             static_cast<size_t>(y / sh) * band_.length;
    args.phase_stride = band_.plane;
    args.stride = sw;
    args.pad = band_.placed.pad_left;
    args.length = band_.length;
    kernels.pad_row(args);
  }
}

int Convolution::BandTasks() const { return grid_.tasks() * (by_rows_ ? band_.out_rows : 1); }

void Convolution::RunBands(const Tensor& input, const Tensor* add, const Tensor& output,
                           const RunContext& context) const {
  const Images in = input.images();
  const Kernels& kernels = context.kernels;
  if (bands_ == 1) {
    float* const padded = context.scratch;
    for (int n = 0; n < in.n; ++n) {
      context.team.Run(in.c, [&](int c, int) { PadChannel(input, n, c, 0, padded, kernels); });
      context.team.Run(BandTasks(), [&](int task, int worker) {
        RunBandTask(add, output, n, 0, task, padded, padded + band_.size + worker * band_.result,
                    kernels);
      });
    }
    return;
  }
  context.team.Run(in.n * bands_, [&](int task, int worker) {
    float* const padded = context.scratch + worker * (band_.size + band_.result);
    const int n = task / bands_, first_row = task % bands_ * band_.out_rows;
    for (int c = 0; c < in.c; ++c) PadChannel(input, n, c, first_row, padded, kernels);
    for (int part = 0; part < BandTasks(); ++part) {
      RunBandTask(add, output, n, first_row, part, padded, padded + band_.size, kernels);
    }
  });
}

void Convolution::RunBandTask(const Tensor* add, const Tensor& output, int n, int first_row,
                              int task, const float* padded, float* result,
                              const Kernels& kernels) const {
  const Images out = output.images();
  const int row = task / grid_.tasks();  // of the band, where tiles are parts of a row
  if (first_row + row >= out.h) return;
  const Tile& tile = grid_.tiles[task % grid_.tasks() / grid_.chunks()];
  const int chunk = task % grid_.chunks();
  const size_t first = tile.first, last = first + tile.width;
  const float* const x = padded + static_cast<size_t>(row) * band_.length + first;
  const size_t pixel = static_cast<size_t>(first_row + row) * out.w + first;
  SpmmArgs args = by_rows_ ? Args(x, output.Plane(n, 0) + pixel, output.plane_stride)
                           : Args(x, result, last - first);
  if (by_rows_ && add != nullptr) args.add = add->Plane(n, 0) + pixel;
  if (!by_rows_ && add != nullptr) {  // CopyOut adds, and limits the sums
    args.lo = Epilogue().lo;
    args.hi = Epilogue().hi;
  }
  args.first_group = grid_.group_begin[chunk];
  args.end_group = grid_.group_begin[chunk + 1];
  tile.spmm(args);
  if (!by_rows_) CopyOut(add, output, n, first_row, first, last, args, kernels);
}

// Of a tile that runs over the ends of rows, the valid pixels [first, last) of the band.
void Convolution::CopyOut(const Tensor* add, const Tensor& output, int n, int first_row,
                          size_t first, size_t last, const SpmmArgs& args,
                          const Kernels& kernels) const {
  const Images out = output.images();
  const int group = weights_->group;
  const int c_end = std::min<int>(out.c, args.end_group * group);
  const size_t rows = std::min(band_.out_rows, out.h - first_row);
  const size_t length = band_.length;
  for (size_t row = first / length; row < rows && row * length < last; ++row) {
    const size_t begin = std::max(first, row * length);
    const size_t end = std::min(last, row * length + out.w);
    if (begin >= end) continue;
    const size_t pixel = (first_row + row) * out.w + begin - row * length;
    for (int c = args.first_group * group; c < c_end; ++c) {
      const float* const sums = args.y + c * args.y_stride + (begin - first);
      float* const y = output.Plane(n, c) + pixel;
      if (add == nullptr) {
        std::memcpy(y, sums, (end - begin) * sizeof(float));
      } else {
        kernels.binary(BinaryKind::kAdd, {sums, add->Plane(n, c) + pixel, false, false, y,
                                          end - begin, epilogue_.lo, epilogue_.hi});
      }
    }
  }
}

}  // namespace sbnn
