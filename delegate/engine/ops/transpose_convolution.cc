#include "delegate/engine/ops/transpose_convolution.h"

#include <algorithm>
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

}  // namespace

TransposeConvolution::TransposeConvolution(const PackedWeights& weights, const Window& window,
                                           const Shape& output, float lo, float hi)
    : output_(output),
      inputs_(weights.inputs),
      outputs_(weights.outputs),
      padded_outputs_(weights.groups() * weights.group),
      y_{window.stride_h, (window.kernel_h + window.stride_h - 1) / window.stride_h, output[1],
         Padding(output[1], window.kernel_h, window.stride_h, window.same)},
      x_{window.stride_w, (window.kernel_w + window.stride_w - 1) / window.stride_w, output[2],
         Padding(output[2], window.kernel_w, window.stride_w, window.same)},
      weights_(SplitPhases(weights, window)),
      lo_(lo),
      hi_(hi) {}

// Outputs of phase 0, those of phase 1, and so on. Tap k * stride + phase of the filter meets the
// input k pixels before, hence tap taps - 1 - k of the convolution.
std::shared_ptr<const PackedWeights> TransposeConvolution::SplitPhases(const PackedWeights& w,
                                                                       const Window& window) const {
  const int phases = y_.stride * x_.stride;
  PackedColumns split;
  split.shape = w;
  split.shape.outputs = padded_outputs_ * phases;
  split.shape.taps = y_.taps * x_.taps;
  std::vector<float> bias;
  std::vector<std::pair<uint16_t, uint32_t>> columns;  // and where they come from
  for (int phase = 0; phase < phases; ++phase) {
    bias.insert(bias.end(), w.bias.begin(), w.bias.end());
    for (int g = 0; g < w.groups(); ++g) {
      columns.clear();
      for (uint32_t i = w.group_begin[g]; i < w.group_begin[g + 1]; ++i) {
        const int tap = w.columns[i] % w.taps, input = w.columns[i] / w.taps;
        const int ky = tap / window.kernel_w, kx = tap % window.kernel_w;
        if (ky % y_.stride != phase / x_.stride || kx % x_.stride != phase % x_.stride) continue;
        const int ty = y_.taps - 1 - ky / y_.stride, tx = x_.taps - 1 - kx / x_.stride;
        columns.push_back({static_cast<uint16_t>(input * split.shape.taps + ty * x_.taps + tx), i});
      }
      std::sort(columns.begin(), columns.end());
      for (const auto& [column, from] : columns) {
        split.Append(column, w.values.data() + size_t{from} * w.group);
      }
      split.EndGroup();
    }
  }
  return std::make_shared<const PackedWeights>(split.Pack(bias.data()));
}

Status TransposeConvolution::InferShape(const std::vector<Shape>& inputs, Shape* output) const {
  const Shape& in = inputs[0];
  if (in.size() != 4) return Status::Error("a transposed convolution reads 4 dimensions");
  if (in[3] != inputs_) {
    return Status::Error("a filter of " + std::to_string(inputs_) + " input channels meets " +
                         std::to_string(in[3]));
  }
  if (in[0] != output_[0]) {
    return Status::Error("a batch of " + std::to_string(in[0]) + " for an output of " +
                         std::to_string(output_[0]));
  }
  *output = output_;
  return Status();
}

Status TransposeConvolution::Plan(const std::vector<const Tensor*>& inputs, const Tensor&,
                                  const PlanContext& context, uint64_t* scratch) {
  const Images in = inputs[0]->images();
  // All input pixels that a phase's pixels meet, and no others.
  Window window;
  window.kernel_h = y_.taps;
  window.kernel_w = x_.taps;
  window.margin = {y_.taps - 1, y_.length() - in.h, x_.taps - 1, x_.length() - in.w};
  convolution_ = std::make_unique<Convolution>(weights_, window, lo_, hi_);
  const Shape shape = {in.n, y_.length(), x_.length(), weights_->outputs};
  phases_ = Tensor(shape, LayoutOf(shape));
  const Epilogue none;
  const Status status =
      convolution_->Plan(inputs, phases_, {context.kernels, context.threads, none}, scratch);
  *scratch += phases_.allocation();
  return status;
}

void TransposeConvolution::Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
                               const RunContext& context) const {
  Tensor phases = phases_;
  phases.data = context.scratch;
  convolution_->Run(inputs, phases,
                    {context.kernels, context.team, context.ScratchOf(1, phases.allocation())});
  context.team.Run(output_[0] * outputs_,
                   [&](int task, int) { Weave(phases, output, task / outputs_, task % outputs_); });
}

// Of image n, channel c.
void TransposeConvolution::Weave(const Tensor& phases, const Tensor& output, int n, int c) const {
  float* y = output.Plane(n, c);
  for (int row = 0; row < y_.out; ++row, y += x_.out) {
    const int from = row + y_.pad, first_phase = from % y_.stride * x_.stride;
    for (int phase = 0; phase < x_.stride; ++phase) {
      // The first column of this phase.
      int column = (phase - x_.pad) % x_.stride;
      if (column < 0) column += x_.stride;
      const float* x = phases.Plane(n, (first_phase + phase) * padded_outputs_ + c) +
                       static_cast<size_t>(from / y_.stride) * x_.length() +
                       (column + x_.pad) / x_.stride;
      for (; column < x_.out; column += x_.stride) y[column] = *x++;
    }
  }
}

}  // namespace sbnn
