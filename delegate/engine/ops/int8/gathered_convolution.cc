#include "delegate/engine/ops/int8/gathered_convolution.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

namespace sbnn {
namespace {

constexpr size_t kBandPixels = 512;  // gathered, they stay in the L1 cache

}  // namespace

std::vector<int> GatherOrder(int kernel_h, int kernel_w, int channels) {
  const int row = kernel_w * channels, together = row / kQuad * kQuad;
  std::vector<int> order, rest;
  for (int i = 0; i < kernel_h * row; ++i) (i % row < together ? order : rest).push_back(i);
  order.insert(order.end(), rest.begin(), rest.end());
  return order;
}

Int8GatheredConvolution::Int8GatheredConvolution(std::shared_ptr<const Int8Weights> weights,
                                                 int channels, const Window& window,
                                                 QuantizedLimits limits)
    : weights_(std::move(weights)),
      channels_(channels),
      window_(window),
      limits_(limits),
      order_(GatherOrder(window.kernel_h, window.kernel_w, channels)) {}

Status Int8GatheredConvolution::InferShape(const std::vector<Shape>& inputs, Shape* output) const {
  if (inputs[0].size() != 4) return Status::Error("a convolution reads 4 dimensions");
  const Images image = AsImages(inputs[0]);
  if (image.c != channels_) {
    return Status::Error("a filter of " + std::to_string(channels_) + " input channels meets " +
                         std::to_string(image.c));
  }
  PlacedWindow placed;
  const Status status = Place(window_, image, &placed);
  if (!status.ok()) return status;
  *output = {image.n, placed.out_h, placed.out_w, weights_->outputs};
  return Status();
}

bool Int8GatheredConvolution::AbsorbMargin(const Margin& margin) {
  window_.margin += margin;
  return true;
}

Status Int8GatheredConvolution::Plan(const std::vector<const Tensor*>& inputs, const Tensor& output,
                                     const PlanContext& context, uint64_t* scratch) {
  const Images in = inputs[0]->images();
  kernels_ = int8::KernelsOf(context.kernels.isa);
  to_ = {output.quantization.zero_point, limits_.lo, limits_.hi};
  const Status status = Place(window_, in, &placed_);
  if (!status.ok()) return status;
  const size_t width = static_cast<size_t>(placed_.out_w);
  band_rows_ = std::min(placed_.out_h, std::max(1, static_cast<int>(kBandPixels / width)));
  bands_ = (placed_.out_h + band_rows_ - 1) / band_rows_;
  // A padded row has what the last window meets, and a quad more.
  const size_t reach = (width - 1) * window_.stride_w +
                       static_cast<size_t>(window_.kernel_w - 1) * window_.dilation_w + 1;
  row_ = (std::max<size_t>(reach, placed_.pad_left + in.w) + kQuad) * channels_;
  quad_ = PlaneStride(band_rows_ * width * kQuad + int8::kSlack, ElementType::kInt8);
  const size_t quads = (order_.size() + kQuad - 1) / kQuad;
  worker_bytes_ = RoundUp(quads * quad_ + row_ * RowsRead(band_rows_), kVectorBytes) +
                  RoundUp(weights_->lanes(), kVectorBytes);
  *scratch = worker_bytes_ * context.threads;
  grid_ = Int8Grid(*weights_, band_rows_ * width, *kernels_, Int8Results::kQuads, 1);
  last_grid_ = Int8Grid(*weights_, (placed_.out_h - (bands_ - 1) * band_rows_) * width, *kernels_,
                        Int8Results::kQuads, 1);
  if (quads * quad_ > 1u << 30) return Status::Error("an image too wide for 32-bit offsets");
  offset_.clear();
  for (uint16_t quad : weights_->indices) {
    offset_.push_back(static_cast<int32_t>(quad * quad_));
  }
  return Status();
}

int Int8GatheredConvolution::RowsRead(int rows) const {
  return (rows - 1) * window_.stride_h + (window_.kernel_h - 1) * window_.dilation_h + 1;
}

// [quads][rows][out_w][4], behind which the padded rows that these read lie for a while.
void Int8GatheredConvolution::Gather(const Tensor& input, int n, int first_row, int rows,
                                     int8_t* to) const {
  const Images in = input.images();
  const size_t quads = (order_.size() + kQuad - 1) / kQuad;
  int8_t* const padded = to + quads * quad_;
  const auto fill = static_cast<int8_t>(input.quantization.zero_point);
  const size_t left = static_cast<size_t>(placed_.pad_left) * channels_;
  const size_t width = static_cast<size_t>(in.w) * channels_;
  const int top = first_row * window_.stride_h - placed_.pad_top;
  for (int r = 0; r < RowsRead(rows); ++r) {
    const int y = top + r;
    int8_t* const row = padded + r * row_;
    if (y < 0 || y >= in.h) {
      std::memset(row, fill, row_);
      continue;
    }
    std::memset(row, fill, left);
    std::memcpy(row + left, input.bytes(n, 0) + y * width, width);
    std::memset(row + left + width, fill, row_ - left - width);
  }
  for (size_t q = 0; q < quads; ++q) {
    int8::GatherArgs args = {};
    args.x = padded;
    args.x_row = window_.stride_h * row_;
    args.pixel = static_cast<size_t>(window_.stride_w) * channels_;
    for (size_t i = 0; i < kQuad; ++i) {
      args.at[i] = -1;
      if (q * kQuad + i >= order_.size()) continue;
      const int at = order_[q * kQuad + i], tap = at / channels_;
      const int down = tap / window_.kernel_w * window_.dilation_h;
      const int column = tap % window_.kernel_w * window_.dilation_w;
      args.at[i] = static_cast<int32_t>(down * row_) + column * channels_ + at % channels_;
    }
    args.rows = rows;
    args.count = placed_.out_w;
    args.y = to + q * quad_;
    kernels_->gather(args);
  }
}

void Int8GatheredConvolution::Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
                                  const RunContext& context) const {
  const Tensor& input = *inputs[0];
  const int images = input.images().n;
  context.team.Run(images * bands_, [&](int task, int worker) {
    auto* const gathered = static_cast<int8_t*>(context.ScratchOf(worker, worker_bytes_));
    const int n = task / bands_, band = task % bands_, first = band * band_rows_;
    const bool last = band == bands_ - 1;
    Gather(input, n, first, last ? placed_.out_h - first : band_rows_, gathered);
    int8::SpmmArgs args = ProductArgs(*weights_, offset_, to_);
    args.x = gathered;
    // (An output of one pixel is flat, and written where no other is spoilt.)
    const bool flat = output.layout == Layout::kFlat;
    int8_t* const pixel = gathered + worker_bytes_ - RoundUp(weights_->lanes(), kVectorBytes);
    args.y = flat ? pixel : output.bytes(n, 0, static_cast<size_t>(first) * placed_.out_w * kQuad);
    args.y_stride = flat ? kQuad : output.plane_stride;
    const Int8Grid& grid = last ? last_grid_ : grid_;
    for (int i = 0; i < grid.tasks(); ++i) grid.RunTask(i, args);
    if (flat) std::memcpy(output.bytes(n, 0), pixel, weights_->outputs);
  });
}

}  // namespace sbnn
