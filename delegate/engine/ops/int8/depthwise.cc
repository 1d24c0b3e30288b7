#include "delegate/engine/ops/int8/depthwise.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "delegate/format/int8_weights.h"
#include "delegate/kernels/int8/pack_depthwise.h"

namespace sbnn {

Int8Depthwise::Int8Depthwise(Int8DepthwiseWeights weights, const Window& window,
                             QuantizedLimits limits)
    : weights_(std::move(weights)), window_(window), limits_(limits) {}

Status Int8Depthwise::InferShape(const std::vector<Shape>& inputs, Shape* output) const {
  if (inputs[0].size() != 4) return Status::Error("a depthwise convolution reads 4 dimensions");
  const Images image = AsImages(inputs[0]);
  if (image.c != weights_.channels) {
    return Status::Error("a depthwise filter of " + std::to_string(weights_.channels) +
                         " channels meets " + std::to_string(image.c));
  }
  PlacedWindow placed;
  const Status status = Place(window_, image, &placed);
  if (!status.ok()) return status;
  *output = {image.n, placed.out_h, placed.out_w, weights_.channels};
  return Status();
}

bool Int8Depthwise::AbsorbMargin(const Margin& margin) {
  window_.margin += margin;
  return true;
}

Status Int8Depthwise::Plan(const std::vector<const Tensor*>& inputs, const Tensor& output,
                           const PlanContext& context, uint64_t* scratch) {
  const Tensor& input = *inputs[0];
  const Images in = input.images();
  kernels_ = int8::KernelsOf(context.kernels.isa);
  const Status status = Place(window_, in, &placed_);
  if (!status.ok()) return status;
  to_ = {output.quantization.zero_point, limits_.lo, limits_.hi};
  quads_ = (weights_.channels + kQuad - 1) / kQuad;

  const int window = window_.kernel_h, stride = window_.stride_h;
  const bool square = window_.kernel_w == window && window_.stride_w == stride &&
                      window_.dilation_h == 1 && window_.dilation_w == 1;
  // The kernels know no weight of -128, and no window that lies beside the image.
  const bool usual =
      placed_.pad_top < window && placed_.pad_left < window &&
      std::find(weights_.taps.begin(), weights_.taps.end(), -128) == weights_.taps.end();
  direct_ = nullptr;
  if (square && usual && (window == 3 || window == 5) && (stride == 1 || stride == 2)) {
    const bool narrow =
        placed_.out_w <= kernels_->lanes / 2 && kernels_->depthwise_narrow[0][0] != nullptr;
    direct_ = (narrow ? kernels_->depthwise_narrow : kernels_->depthwise)[window == 5][stride - 1];
  }
  bias_.assign(quads_ * kQuad, 0);
  scale_.assign(quads_ * kQuad, 0.0f);
  std::copy(weights_.bias.begin(), weights_.bias.end(), bias_.begin());
  std::copy(weights_.scale.begin(), weights_.scale.end(), scale_.begin());
  const int taps = window_.kernel_h * window_.kernel_w;
  if (direct_ != nullptr) {
    packed_ = int8::PackDepthwise(weights_.taps.data(), weights_.channels, window, stride);
    const uint32_t offset =
        static_cast<uint32_t>(input.quantization.zero_point + kernels_->input_offset);
    for (int c = 0; c < weights_.channels; ++c) {
      int sum = 0;
      for (int t = 0; t < taps; ++t) {
        sum += weights_.taps[static_cast<size_t>(t) * weights_.channels + c];
      }
      bias_[c] = static_cast<int32_t>(static_cast<uint32_t>(bias_[c]) -
                                      static_cast<uint32_t>(sum) * offset);
    }
    pad_row_.assign(static_cast<size_t>(in.w) * kQuad + int8::kSlack,
                    static_cast<int8_t>(input.quantization.zero_point));
  } else {
    packed_.assign(static_cast<size_t>(quads_) * taps * kQuad, 0);
    for (int c = 0; c < weights_.channels; ++c) {
      for (int t = 0; t < taps; ++t) {
        packed_[(static_cast<size_t>(c / kQuad) * taps + t) * kQuad + c % kQuad] =
            weights_.taps[static_cast<size_t>(t) * weights_.channels + c];
      }
    }
  }
  // Sums of a row; and what is one pixel, flat, in whole quads.
  worker_bytes_ =
      RoundUp(static_cast<uint64_t>(placed_.out_w) * kQuad * sizeof(int32_t), kVectorBytes);
  *scratch = worker_bytes_ * context.threads +
             2 * RoundUp(uint64_t(quads_) * kQuad + int8::kSlack, kVectorBytes);
  return Status();
}

// Quads [first, end) of tensors of one image. Of a flat one, a quad follows the other.
void Int8Depthwise::RunQuads(const Tensor& input, const Tensor& output, int first, int end,
                             int8_t* sums) const {
  const Images in = input.images();
  const bool to_panel = output.layout == Layout::kPanel;
  const size_t x_stride = input.layout == Layout::kFlat ? kQuad : input.plane_stride;
  const size_t y_stride = output.layout == Layout::kFlat ? kQuad : output.plane_stride;
  const auto* const x = static_cast<const int8_t*>(input.data) + first * x_stride;
  int8_t* const y =
      static_cast<int8_t*>(output.data) + (to_panel ? first * kQuad : first) * y_stride;
  if (direct_ != nullptr) {
    int8::DepthwiseArgs args = {};
    args.x = x;
    args.x_stride = x_stride;
    args.in_h = in.h;
    args.in_w = in.w;
    args.y = y;
    args.y_stride = y_stride;
    args.to_panel = to_panel;
    args.out_w = placed_.out_w;
    args.end_row = placed_.out_h;
    args.quads = end - first;
    args.pad_top = placed_.pad_top;
    args.pad_left = placed_.pad_left;
    args.pad = static_cast<int8_t>(input.quantization.zero_point);
    args.pad_row = pad_row_.data();
    args.weights = packed_.data() + packed_.size() / quads_ * first;
    args.bias = &bias_[first * kQuad];
    args.scale = &scale_[first * kQuad];
    args.to = to_;
    direct_(args);
    return;
  }
  const size_t taps = static_cast<size_t>(window_.kernel_h) * window_.kernel_w;
  for (int q = first; q < end; ++q) {
    for (int row = 0; row < placed_.out_h; ++row) {
      const size_t pixel = static_cast<size_t>(row) * placed_.out_w;
      int8_t* const to = y + (q - first) * y_stride * (to_panel ? kQuad : 1);
      kernels_->depthwise_any({x + (q - first) * x_stride,
                               in.h,
                               in.w,
                               to + pixel * (to_panel ? 1 : kQuad),
                               to_panel ? size_t{1} : kQuad,
                               to_panel ? y_stride : 1,
                               placed_.out_w,
                               row,
                               window_.kernel_h,
                               window_.kernel_w,
                               window_.stride_h,
                               window_.stride_w,
                               window_.dilation_h,
                               window_.dilation_w,
                               placed_.pad_top,
                               placed_.pad_left,
                               input.quantization.zero_point,
                               packed_.data() + q * taps * kQuad,
                               &bias_[q * kQuad],
                               &scale_[q * kQuad],
                               reinterpret_cast<int32_t*>(sums),
                               to_});
    }
  }
}

void Int8Depthwise::Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
                        const RunContext& context) const {
  const Images in = inputs[0]->images();
  const uint64_t flat_bytes = RoundUp(uint64_t(quads_) * kQuad + int8::kSlack, kVectorBytes);
  auto* const flat_x = static_cast<int8_t*>(context.ScratchOf(context.team.size(), worker_bytes_));
  int8_t* const flat_y = flat_x + flat_bytes;
  for (int n = 0; n < in.n; ++n) {
    Tensor x = *inputs[0], y = output;
    x.data = x.bytes(n, 0);
    y.data = y.bytes(n, 0);
    if (x.layout == Layout::kFlat) {
      if (in.pixels() != 0) std::memcpy(flat_x, x.data, weights_.channels);
      x.data = flat_x;
    }
    if (y.layout == Layout::kFlat) y.data = flat_y;
    const int tasks = std::min(quads_, context.team.size() == 1 ? 1 : context.team.size() * 4);
    context.team.Run(tasks, [&](int task, int worker) {
      RunQuads(x, y, static_cast<int>(int64_t{task} * quads_ / tasks),
               static_cast<int>((int64_t{task} + 1) * quads_ / tasks),
               static_cast<int8_t*>(context.ScratchOf(worker, worker_bytes_)));
    });
    if (y.layout == Layout::kFlat) std::memcpy(output.bytes(n, 0), flat_y, weights_.channels);
  }
}

}  // namespace sbnn
