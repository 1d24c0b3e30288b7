#include "delegate/engine/ops/int8/transpose_convolution.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

namespace sbnn {
namespace {

// Padding as TensorFlow defines it for the convolution that leads from the output to the input.
int Padding(int out, int kernel, int stride, bool same) {
  if (!same) return 0;
  const int in = (out + stride - 1) / stride;
  return std::max(0, (in - 1) * stride + kernel - out) / 2;
}

int Taps(int kernel, int stride) { return (kernel + stride - 1) / stride; }

}  // namespace

// Tap k * stride + phase of the filter meets the input k pixels before, hence tap taps - 1 - k.
Int8TransposeConvolution::Phases Int8TransposeConvolution::SplitPhases(const Constant& filter,
                                                                       const Window& window,
                                                                       Int8Outputs* outputs) {
  const int lanes = (filter.shape[0] + kQuad - 1) / kQuad * kQuad, inputs = filter.shape[3];
  const int count = window.stride_h * window.stride_w;
  const int taps_y = Taps(window.kernel_h, window.stride_h);
  const int taps_x = Taps(window.kernel_w, window.stride_w);
  Phases phases;
  phases.shape = {lanes * count, taps_y, taps_x, inputs};
  phases.values.assign(static_cast<size_t>(lanes) * count * taps_y * taps_x * inputs, 0);
  ForEachStored(filter, [&](const int* at, float value) {
    const int phase = at[1] % window.stride_h * window.stride_w + at[2] % window.stride_w;
    const int ty = taps_y - 1 - at[1] / window.stride_h, tx = taps_x - 1 - at[2] / window.stride_w;
    const size_t row = static_cast<size_t>(phase) * lanes + at[0];
    phases.values[((row * taps_y + ty) * taps_x + tx) * inputs + at[3]] =
        static_cast<int8_t>(value);
  });
  outputs->bias.resize(lanes, 0);
  outputs->scale.resize(lanes, 0.0f);
  const Int8Outputs once = *outputs;
  for (int phase = 1; phase < count; ++phase) {
    outputs->bias.insert(outputs->bias.end(), once.bias.begin(), once.bias.end());
    outputs->scale.insert(outputs->scale.end(), once.scale.begin(), once.scale.end());
  }
  return phases;
}

Int8TransposeConvolution::Int8TransposeConvolution(std::shared_ptr<const Int8Weights> weights,
                                                   const Window& window, const Shape& output,
                                                   QuantizedLimits limits)
    : weights_(std::move(weights)),
      output_(output),
      limits_(limits),
      y_{window.stride_h, Taps(window.kernel_h, window.stride_h), output[1],
         Padding(output[1], window.kernel_h, window.stride_h, window.same)},
      x_{window.stride_w, Taps(window.kernel_w, window.stride_w), output[2],
         Padding(output[2], window.kernel_w, window.stride_w, window.same)} {}

Status Int8TransposeConvolution::InferShape(const std::vector<Shape>& inputs, Shape* output) const {
  const Shape& in = inputs[0];
  if (in.size() != 4) return Status::Error("a transposed convolution reads 4 dimensions");
  if (in[3] != weights_->inputs) {
    return Status::Error("a filter of " + std::to_string(weights_->inputs) +
                         " input channels meets " + std::to_string(in[3]));
  }
  if (in[0] != output_[0]) {
    return Status::Error("a batch of " + std::to_string(in[0]) + " for an output of " +
                         std::to_string(output_[0]));
  }
  *output = output_;
  return Status();
}

Status Int8TransposeConvolution::Plan(const std::vector<const Tensor*>& inputs,
                                      const Tensor& output, const PlanContext& context,
                                      uint64_t* scratch) {
  const Images in = inputs[0]->images();
  // All input pixels that a phase's pixels meet, and no others.
  Window window;
  window.kernel_h = y_.taps;
  window.kernel_w = x_.taps;
  window.margin = {y_.taps - 1, y_.length() - in.h, x_.taps - 1, x_.length() - in.w};
  convolution_ = std::make_unique<Int8Convolution>(weights_, window, limits_);
  phases_ = Tensor({in.n, y_.length(), x_.length(), weights_->outputs}, Layout::kQuads,
                   ElementType::kInt8);
  phases_.quantization = output.quantization;
  const Status status = convolution_->Plan(inputs, phases_, context, scratch);
  *scratch += phases_.allocation();
  return status;
}

void Int8TransposeConvolution::Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
                                   const RunContext& context) const {
  Tensor phases = phases_;
  phases.data = context.scratch;
  convolution_->Run(inputs, phases,
                    {context.kernels, context.team, context.ScratchOf(1, phases.allocation())});
  const int quads = (output_[3] + kQuad - 1) / kQuad;
  context.team.Run(output_[0] * quads,
                   [&](int task, int) { Weave(output, phases, task / quads, task % quads); });
}

void Int8TransposeConvolution::Weave(const Tensor& output, const Tensor& phases, int n,
                                     int quad) const {
  const int phase_quads = weights_->quads() / (y_.stride * x_.stride);
  // (An output of one pixel is flat.)
  const bool flat = output.layout == Layout::kFlat;
  int8_t* const y = output.bytes(n, flat ? quad * kQuad : quad);
  const int channels = flat ? std::min(kQuad, output_[3] - quad * kQuad) : kQuad;
  for (int row = 0; row < y_.out; ++row) {
    const int from = row + y_.pad, first_phase = from % y_.stride * x_.stride;
    for (int phase = 0; phase < x_.stride; ++phase) {
      // The first column of this phase.
      int column = (phase - x_.pad) % x_.stride;
      if (column < 0) column += x_.stride;
      const size_t pixel =
          static_cast<size_t>(from / y_.stride) * x_.length() + (column + x_.pad) / x_.stride;
      const int8_t* x = phases.bytes(n, (first_phase + phase) * phase_quads + quad, pixel * kQuad);
      for (; column < x_.out; column += x_.stride, x += kQuad) {
        std::memcpy(y + (static_cast<size_t>(row) * x_.out + column) * kQuad, x, channels);
      }
    }
  }
}

}  // namespace sbnn
