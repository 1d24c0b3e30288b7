#include "delegate/engine/ops/int8/fully_connected.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <string>
#include <utility>

#include "delegate/engine/ops/fully_connected.h"

namespace sbnn {

Int8FullyConnected::Int8FullyConnected(std::shared_ptr<const Int8Weights> weights, bool keep_dims,
                                       QuantizedLimits limits)
    : weights_(std::move(weights)), keep_dims_(keep_dims), limits_(limits) {}

Status Int8FullyConnected::InferShape(const std::vector<Shape>& inputs, Shape* output) const {
  return InferRows(inputs[0], weights_->inputs, weights_->outputs, keep_dims_, output);
}

Status Int8FullyConnected::Plan(const std::vector<const Tensor*>& inputs, const Tensor& output,
                                const PlanContext& context, uint64_t* scratch) {
  kernels_ = int8::KernelsOf(context.kernels.isa);
  to_ = {output.quantization.zero_point, limits_.lo, limits_.hi};
  rows_ = ElementCount(inputs[0]->shape) / weights_->inputs;
  const bool columns = weights_->columns != 0;
  const uint64_t inputs_of_plane = columns ? 1 : kQuad;
  const uint64_t planes = (weights_->inputs + inputs_of_plane - 1) / inputs_of_plane;
  const auto stride = [&](uint64_t together) {
    return rows_ == 1 ? together : PlaneStride(rows_ * together + int8::kSlack, ElementType::kInt8);
  };
  x_stride_ = stride(inputs_of_plane);
  y_stride_ = stride(kQuad);
  x_bytes_ = RoundUp(planes * x_stride_ + int8::kSlack, kVectorBytes);
  *scratch = x_bytes_ + RoundUp(weights_->quads() * y_stride_, kVectorBytes);
  offset_.clear();
  one_row_ = rows_ == 1 && !columns && weights_->group == kQuad;
  if (one_row_) {
    chunks_ = context.threads == 1 ? 1 : std::min(weights_->quads(), context.threads * 4);
    return Status();
  }
  grid_ = Int8Grid(*weights_, rows_, *kernels_, Int8Results::kQuads, context.threads);
  for (uint16_t plane : weights_->indices) {
    if (plane * x_stride_ > static_cast<uint64_t>(std::numeric_limits<int32_t>::max())) {
      return Status::Error("too many rows for 32-bit offsets");
    }
    offset_.push_back(static_cast<int32_t>(plane * x_stride_));
  }
  return Status();
}

void Int8FullyConnected::Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
                             const RunContext& context) const {
  const size_t depth = weights_->inputs, outputs = weights_->outputs;
  const auto* const from = static_cast<const int8_t*>(inputs[0]->data);
  auto* const to = static_cast<int8_t*>(output.data);
  auto* const x = static_cast<int8_t*>(context.scratch);
  int8_t* const y = x + x_bytes_;
  const Int8Weights& w = *weights_;
  if (rows_ == 1) {  // flat, quads and panels are the same
    std::memcpy(x, from, depth);
  } else {
    const auto to_planes = w.columns != 0 ? kernels_->flat_to_panel : kernels_->flat_to_quads;
    to_planes({from, depth, x, static_cast<size_t>(x_stride_), rows_, static_cast<int>(depth)});
  }
  if (one_row_) {
    context.team.Run(chunks_, [&](int task, int) {
      const uint64_t quads = static_cast<uint64_t>(w.quads());
      kernels_->spmv({x, y, w.group_begin.data(), w.indices.data(), w.weights.data(), w.bias.data(),
                      w.scale.data(), static_cast<uint32_t>(task * quads / chunks_),
                      static_cast<uint32_t>((task + 1) * quads / chunks_), to_});
    });
  } else {
    int8::SpmmArgs args = ProductArgs(w, offset_, to_);
    args.x = x;
    args.y = y;
    args.y_stride = y_stride_;
    context.team.Run(grid_.tasks(), [&](int task, int) { grid_.RunTask(task, args); });
  }
  if (rows_ == 1) {
    std::memcpy(to, y, outputs);
  } else {
    kernels_->quads_to_flat(
        {y, static_cast<size_t>(y_stride_), to, outputs, rows_, static_cast<int>(outputs)});
  }
}

std::vector<Range> Int8FullyConnected::Constants() const {
  return {RangeOf(weights_->weights.begin(), weights_->weights.end()),
          RangeOf(weights_->indices.begin(), weights_->indices.end())};
}

}  // namespace sbnn
