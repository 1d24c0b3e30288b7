#include "delegate/engine/ops/batch_matmul.h"

#include <algorithm>
#include <string>

namespace sbnn {

Status BatchMatMul::InferShape(const std::vector<Shape>& inputs, Shape* output) const {
  const Shape& a = alone_ && constant_first_ ? constant_shape_ : inputs[0];
  const Shape& b = alone_ && constant_first_ ? inputs[0] : alone_ ? constant_shape_ : inputs[1];
  Shape batch;
  if (!BroadcastBatch(a, b, &batch)) return Status::Error("shapes do not match");
  const auto last = [](const Shape& shape, bool first) {
    return shape[shape.size() - (first ? 2 : 1)];
  };
  const int depth_a = last(a, transpose_a_), depth_b = last(b, !transpose_b_);
  if (depth_a != depth_b) {
    return Status::Error("rows of " + std::to_string(depth_a) + " meet columns of " +
                         std::to_string(depth_b));
  }
  *output = std::move(batch);
  output->push_back(last(a, !transpose_a_));
  output->push_back(last(b, transpose_b_));
  return Status();
}

Status BatchMatMul::Plan(const std::vector<const Tensor*>& inputs, const Tensor& output,
                         const PlanContext& context, uint64_t* scratch) {
  const Shape batch(output.shape.begin(), output.shape.end() - 2);
  const auto factor = [&](bool first, bool transposed) {
    if (alone_ && constant_first_ == first) {
      return Matrices(constant_shape_, RowMajorStrides(constant_shape_), batch, transposed);
    }
    const Tensor& input = *inputs[first ? 0 : inputs.size() - 1];
    return Matrices(input.shape, StridesOf(input), batch, transposed);
  };
  a_ = factor(true, transpose_a_);
  b_ = factor(false, transpose_b_);
  y_ = Matrices(output.shape, StridesOf(output), batch, false);
  // Rows fill vectors.
  const auto waste = [&](size_t n) {
    return static_cast<double>(RoundUp(n, context.kernels.lanes)) / n;
  };
  swapped_ = waste(y_.columns) < 0.8 * waste(y_.rows);
  if (swapped_) {
    std::swap(a_, b_);
    for (Matrices* m : {&a_, &b_, &y_}) m->Transpose();
  }
  Status status = tasks_.Plan(a_.rows, y_.count(), context.kernels, context.threads);
  if (!status.ok()) return status;
  status = product_.Plan(a_.columns, b_.columns, tasks_.stride, context.kernels);
  if (!status.ok()) return status;
  panel_at_ = product_.packed_count();
  results_at_ = panel_at_ + a_.columns * tasks_.stride;
  worker_floats_ = results_at_ + product_.outputs() * tasks_.stride + kMaxLanes;
  *scratch = uint64_t{worker_floats_} * sizeof(float) * context.threads;
  return Status();
}

void BatchMatMul::Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
                      const RunContext& context) const {
  const auto factor = [&](bool first) -> const float* {
    if (alone_ && constant_first_ == first) return constant_.data();
    return inputs[first ? 0 : inputs.size() - 1]->floats();
  };
  const float* const a = factor(!swapped_);
  const float* const b = factor(swapped_);
  const size_t stride = tasks_.stride;
  tasks_.Run(context.team, [&](int n, const Tile* tile, const Tile* end, int worker) {
    float* const packed = context.float_scratch() + worker * worker_floats_;
    float *const panel = packed + panel_at_, *const results = packed + results_at_;
    product_.Pack(b + b_.First(n), b_.row_stride, b_.column_stride, packed, context.kernels);
    for (; tile != end; ++tile) {
      const size_t count = std::min<size_t>(tile->width, a_.rows - tile->first);
      RowsToPanel(a + a_.First(n), a_, tile->first, count, panel, stride, context.kernels);
      product_.RunTile(*tile, panel, packed, results, stride);
      PanelToRows(results, stride, y_, tile->first, count, output.floats() + y_.First(n),
                  context.kernels);
    }
  });
}

}  // namespace sbnn
