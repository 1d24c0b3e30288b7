#include "delegate/engine/ops/int8/dynamic_fully_connected.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <string>
#include <utility>

#include "delegate/engine/ops/fully_connected.h"
#include "delegate/engine/layout.h"

namespace sbnn {

DynamicFullyConnected::DynamicFullyConnected(std::shared_ptr<const Int8Weights> weights,
                                             DynamicOutputs outputs, bool keep_dims)
    : weights_(std::move(weights)), outputs_(std::move(outputs)), keep_dims_(keep_dims) {}

Status DynamicFullyConnected::InferShape(const std::vector<Shape>& inputs, Shape* output) const {
  return InferRows(inputs[0], weights_->inputs, weights_->outputs, keep_dims_, output);
}

bool DynamicFullyConnected::OneVector() const {
  return rows_ == 1 && weights_->columns == 0 && weights_->group == kQuad;
}

Status DynamicFullyConnected::Plan(const std::vector<const Tensor*>& inputs, const Tensor& output,
                                   const PlanContext& context, uint64_t* scratch) {
  kernels_ = int8::KernelsOf(context.kernels.isa);
  const uint64_t depth = weights_->inputs, lanes = weights_->lanes();
  rows_ = ElementCount(inputs[0]->shape) / depth;
  uint64_t next = 0;
  const auto take = [&](uint64_t bytes) {
    const uint64_t at = next;
    next += RoundUp(bytes + 2 * kVectorBytes, kVectorBytes);
    return at;
  };
  if (inputs[0]->layout == Layout::kPanel) flat_x_at_ = take(rows_ * depth * sizeof(float));
  if (output.layout == Layout::kPanel) flat_y_at_ = take(rows_ * weights_->outputs * sizeof(float));
  for (uint64_t* at : {&scales_at_, &back_at_, &zero_points_at_}) *at = take(rows_ * sizeof(float));
  rows_at_ = take(rows_ * depth);
  offset_.clear();
  if (OneVector()) {
    y_at_ = take(lanes * sizeof(float));
    chunks_ = context.threads == 1 ? 1 : std::min(weights_->quads(), context.threads * 4);
    *scratch = next;
    return Status();
  }
  const uint64_t together = weights_->columns != 0 ? 1 : kQuad;  // channels
  x_stride_ = PlaneStride(rows_ * together + int8::kSlack, ElementType::kInt8);
  x_at_ = take((depth + together - 1) / together * x_stride_);
  y_stride_ = PlaneStride(rows_);
  y_at_ = take(lanes * y_stride_ * sizeof(float));
  grid_ = Int8Grid(*weights_, rows_, *kernels_, Int8Results::kFloats, context.threads);
  *scratch = next;
  for (uint16_t index : weights_->indices) {
    if (index * x_stride_ > static_cast<uint64_t>(std::numeric_limits<int32_t>::max())) {
      return Status::Error("too many rows for 32-bit offsets");
    }
    offset_.push_back(static_cast<int32_t>(index * x_stride_));
  }
  return Status();
}

void DynamicFullyConnected::Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
                                const RunContext& context) const {
  const float* x = inputs[0]->floats();
  if (inputs[0]->layout == Layout::kPanel) {
    auto* const flat = static_cast<float*>(context.ScratchOf(1, flat_x_at_));
    ToFlat(*inputs[0], flat, context.kernels, context.team);
    x = flat;
  }
  const bool panel = output.layout == Layout::kPanel;
  float* const y = panel ? static_cast<float*>(context.ScratchOf(1, flat_y_at_)) : output.floats();
  Round(x, context);
  if (OneVector()) {
    RunVector(y, context);
  } else {
    RunRows(y, context);
  }
  if (panel) FromFlat(y, output, context.kernels, context.team);
}

void DynamicFullyConnected::Round(const float* x, const RunContext& context) const {
  auto* const scales = static_cast<float*>(context.ScratchOf(1, scales_at_));
  auto* const back = static_cast<float*>(context.ScratchOf(1, back_at_));
  auto* const zero_points = static_cast<int32_t*>(context.ScratchOf(1, zero_points_at_));
  auto* const to = static_cast<int8_t*>(context.ScratchOf(1, rows_at_));
  const size_t depth = weights_->inputs;
  const int tasks = static_cast<int>(std::min<size_t>(rows_, context.team.size()));
  context.team.Run(tasks, [&](int task, int) {
    for (size_t r = task * rows_ / tasks; r < (task + 1) * rows_ / tasks; ++r) {
      float least = 0, most = 0;
      kernels_->rounding.range(x + r * depth, 0, 1, depth, &least, &most);
      kernels_->rounding.roundings({&least, &most, 1, scales + r, back + r, zero_points + r});
      kernels_->elementwise.quantize(x + r * depth, to + r * depth, depth, scales[r],
                                     {zero_points[r] - kernels_->input_offset, -128, 127});
    }
  });
}

void DynamicFullyConnected::RunVector(float* y, const RunContext& context) const {
  const Int8Weights& w = *weights_;
  auto* const to = static_cast<float*>(context.ScratchOf(1, y_at_));
  int8::SpmvArgs args = {};
  args.x = static_cast<const int8_t*>(context.ScratchOf(1, rows_at_));
  args.group_begin = w.group_begin.data();
  args.blocks = w.indices.data();
  args.weights = w.weights.data();
  args.bias = w.bias.data();
  args.scale = w.scale.data();
  args.floats = outputs_.To(to, 0, static_cast<int32_t*>(context.ScratchOf(1, zero_points_at_)),
                            static_cast<float*>(context.ScratchOf(1, back_at_)));
  context.team.Run(chunks_, [&](int task, int) {
    const uint64_t quads = static_cast<uint64_t>(w.quads());
    int8::SpmvArgs chunk = args;
    chunk.first_quad = static_cast<uint32_t>(task * quads / chunks_);
    chunk.end_quad = static_cast<uint32_t>((task + 1) * quads / chunks_);
    kernels_->spmv_to_floats(chunk);
  });
  std::memcpy(y, to, w.outputs * sizeof(float));
}

void DynamicFullyConnected::RunRows(float* y, const RunContext& context) const {
  const size_t depth = weights_->inputs, outputs = weights_->outputs;
  auto* const x = static_cast<int8_t*>(context.ScratchOf(1, x_at_));
  auto* const to = static_cast<float*>(context.ScratchOf(1, y_at_));
  (weights_->columns != 0 ? kernels_->flat_to_panel : kernels_->flat_to_quads)(
      {static_cast<const int8_t*>(context.ScratchOf(1, rows_at_)), depth, x,
       static_cast<size_t>(x_stride_), rows_, static_cast<int>(depth)});
  int8::SpmmArgs args = ProductArgs(*weights_, offset_, {});
  args.x = x;
  args.floats =
      outputs_.To(to, y_stride_, static_cast<int32_t*>(context.ScratchOf(1, zero_points_at_)),
                  static_cast<float*>(context.ScratchOf(1, back_at_)));
  context.team.Run(grid_.tasks(), [&](int task, int) { grid_.RunTask(task, args); });
  context.kernels.transpose({to, y_stride_, y, outputs, outputs, rows_});
}

std::vector<Range> DynamicFullyConnected::Constants() const {
  return {RangeOf(weights_->weights.begin(), weights_->weights.end()),
          RangeOf(weights_->indices.begin(), weights_->indices.end())};
}

}  // namespace sbnn
