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

// What a mask adds to a score where it surely hides it, and where it surely does not.
constexpr float kHides = -1e9f, kShows = -1e6f;

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
  keys_ = FindKeys();
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

std::vector<Attention::Keys> Attention::FindKeys() const {
  const size_t all = k_.columns;
  if (mask_.constant.empty()) {
    return std::vector<Keys>(tasks_.tiles.size(), {mask_.exists ? 0 : all, all});
  }
  const Shape own(mask_.shape.begin(), mask_.shape.end() - std::min<size_t>(2, mask_.shape.size()));
  const Matrices masks =
      Broadcast(mask_.shape, RowMajorStrides(mask_.shape), own, q_.rows, k_.columns);
  std::vector<Keys> found;
  for (const Tile& tile : tasks_.tiles) {
    Keys keys = {all, 0};
    const size_t end = std::min<size_t>(tile.first + tile.width, q_.rows);
    for (size_t n = 0; n < masks.count(); ++n) {
      for (size_t row = tile.first; row < end; ++row) {
        const float* const mask =
            mask_.constant.data() + masks.First(n) + static_cast<ptrdiff_t>(row) * masks.row_stride;
        bool sees = false;
        for (size_t k = 0; k < all; ++k) {
          const float added = mask_.factor * mask[static_cast<ptrdiff_t>(k) * masks.column_stride];
          if (added != 0) keys.plain = std::min(keys.plain, k);
          if (!(added <= kHides)) keys.seen = std::max(keys.seen, k + 1);
          sees = sees || added >= kShows;
        }
        // (A row that sees nothing weighs all keys by what hides them.)
        if (!sees) keys.seen = all;
      }
    }
    found.push_back({std::min(keys.plain, keys.seen), keys.seen});
  }
  return found;
}

// scores = beta scores + factor mask, as panels. (As they stand: a mask may hold the least of all
// floats, which to divide is infinite, and a row of such is no number.)
void Attention::AddMask(const float* mask, const Tile& tile, const Keys& keys, size_t count,
                        float* panel, float* scores, const Kernels& kernels) const {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const size_t stride = tasks_.stride, masked = keys.seen - keys.plain;
  const auto scale = [&](float* x, float factor, size_t columns) {
    if (factor == 1) return;
    kernels.binary(BinaryKind::kMul,
                   {x, &factor, true, false, x, columns * stride, -kInfinity, kInfinity});
  };
  scale(scores, beta_, keys.seen);
  if (masked == 0) return;
  RowsToPanel(mask + static_cast<ptrdiff_t>(keys.plain) * masks_.column_stride, masks_, tile.first,
              count, masked, panel, stride, kernels);
  scale(panel, mask_.factor, masked);
  float* const sums = scores + keys.plain * stride;
  kernels.binary(BinaryKind::kAdd,
                 {sums, panel, false, false, sums, masked * stride, -kInfinity, kInfinity});
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
      const Keys& keys = keys_[tile - &tasks_.tiles[0]];
      RowsToPanel(inputs[0]->floats() + q_.First(n), q_, tile->first, count, q, stride, kernels);
      scores_.RunTile(*tile, q, k, scores, stride, q_.columns, keys.seen);
      if (mask != nullptr) AddMask(mask, *tile, keys, count, k + mask_at_, scores, kernels);
      const float beta = mask != nullptr ? 1 : beta_;
      kernels.softmax_columns({scores, stride, scores, stride, keys.seen, tile->width, beta});
      values_.RunTile(*tile, scores, v, results, stride, keys.seen, v_.columns);
      PanelToRows(results, stride, y_, tile->first, count, output.floats() + y_.First(n), kernels);
    }
  });
}

}  // namespace sbnn
