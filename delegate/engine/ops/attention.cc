#include "delegate/engine/ops/attention.h"

#include <algorithm>
#include <limits>

namespace sbnn {
namespace {

Matrices MatricesOf(const Attention::Operand& operand, const Tensor& tensor, const Shape& batch) {
  return Matrices(operand.shape, operand.strides.empty() ? StridesOf(tensor) : operand.strides,
                  batch, operand.transposed);
}

// Of a shape that broadcasts to such matrices.
Matrices Broadcast(Shape shape, Strides strides, const Shape& batch, size_t rows, size_t columns) {
  while (shape.size() < 2) {
    shape.insert(shape.begin(), 1);
    strides.insert(strides.begin(), 0);
  }
  Matrices matrices(shape, strides, batch, false);
  if (matrices.rows == 1) matrices.row_stride = 0;
  if (matrices.columns == 1) matrices.column_stride = 0;
  matrices.rows = rows;
  matrices.columns = columns;
  return matrices;
}

}  // namespace

Status Attention::InferShape(const std::vector<Shape>&, Shape* output) const {
  *output = result_.shape;
  return Status();
}

Status Attention::Plan(const std::vector<const Tensor*>& inputs, const Tensor& output,
                       const PlanContext& context, uint64_t* scratch) {
  const Kernels& kernels = context.kernels;
  const Shape batch(result_.shape.begin(), result_.shape.end() - 2);
  q_ = MatricesOf(operands_[0], *inputs[0], batch);
  k_ = MatricesOf(operands_[1], *inputs[1], batch);
  v_ = MatricesOf(operands_[2], *inputs[2], batch);
  y_ = MatricesOf(result_, output, batch);
  if (mask_.exists) {
    const bool constant = !mask_.constant.empty();
    masks_ = Broadcast(mask_.shape, constant ? RowMajorStrides(mask_.shape) : StridesOf(*inputs[3]),
                       batch, q_.rows, k_.columns);
  }
  Status status = tasks_.Plan(q_.rows, y_.count(), kernels, context.threads);
  if (!status.ok()) return status;
  status = scores_.Plan(q_.columns, k_.columns, tasks_.stride, kernels);
  if (!status.ok()) return status;
  status = values_.Plan(k_.columns, v_.columns, tasks_.stride, kernels);
  if (!status.ok()) return status;
  v_at_ = scores_.packed_count();
  q_at_ = v_at_ + values_.packed_count();
  scores_at_ = q_at_ + q_.columns * tasks_.stride;
  mask_at_ = scores_at_ + scores_.outputs() * tasks_.stride;
  results_at_ = mask_at_ + (mask_.exists ? k_.columns * tasks_.stride : 0);
  worker_floats_ = results_at_ + values_.outputs() * tasks_.stride + kMaxLanes;
  *scratch = uint64_t{worker_floats_} * sizeof(float) * context.threads;
  return Status();
}

// scores = beta scores + factor mask, as panels. (As they stand: a mask may hold the least of all
// floats, which to divide is infinite, and a row of such is no number.)
void Attention::AddMask(const float* mask, const Tile& tile, size_t count, float* panel,
                        float* scores, const Kernels& kernels) const {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const size_t stride = tasks_.stride, elements = k_.columns * stride;
  const auto scale = [&](float* x, float factor) {
    if (factor == 1) return;
    kernels.binary(BinaryKind::kMul, {x, &factor, true, false, x, elements, -kInfinity, kInfinity});
  };
  RowsToPanel(mask, masks_, tile.first, count, panel, stride, kernels);
  scale(panel, mask_.factor);
  scale(scores, beta_);
  kernels.binary(BinaryKind::kAdd,
                 {scores, panel, false, false, scores, elements, -kInfinity, kInfinity});
}

void Attention::Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
                    const RunContext& context) const {
  const Kernels& kernels = context.kernels;
  const size_t stride = tasks_.stride;
  tasks_.Run(context.team, [&](int n, const Tile* tile, const Tile* end, int worker) {
    float* const k = context.float_scratch() + worker * worker_floats_;
    float *const v = k + v_at_, *const q = k + q_at_;
    float *const scores = k + scores_at_, *const results = k + results_at_;
    const float* mask = nullptr;
    if (mask_.exists) {
      mask =
          (mask_.constant.empty() ? inputs[3]->floats() : mask_.constant.data()) + masks_.First(n);
    }
    scores_.Pack(inputs[1]->floats() + k_.First(n), k_.row_stride, k_.column_stride, k, kernels);
    values_.Pack(inputs[2]->floats() + v_.First(n), v_.row_stride, v_.column_stride, v, kernels);
    for (; tile != end; ++tile) {
      const size_t count = std::min<size_t>(tile->width, q_.rows - tile->first);
      RowsToPanel(inputs[0]->floats() + q_.First(n), q_, tile->first, count, q, stride, kernels);
      scores_.RunTile(*tile, q, k, scores, stride);
      if (mask != nullptr) AddMask(mask, *tile, count, k + mask_at_, scores, kernels);
      const float beta = mask != nullptr ? 1 : beta_;
      kernels.softmax_columns({scores, stride, scores, stride, k_.columns, tile->width, beta});
      values_.RunTile(*tile, scores, v, results, stride);
      PanelToRows(results, stride, y_, tile->first, count, output.floats() + y_.First(n), kernels);
    }
  });
}

}  // namespace sbnn
