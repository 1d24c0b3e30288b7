// BATCH_MATMUL of floats.
#ifndef SBNN_DELEGATE_ENGINE_OPS_BATCH_MATMUL_H_
#define SBNN_DELEGATE_ENGINE_OPS_BATCH_MATMUL_H_

#include <cstddef>
#include <utility>
#include <vector>

#include "delegate/engine/matrices.h"
#include "delegate/engine/op.h"

namespace sbnn {

class BatchMatMul : public Op {
 public:
  // Products of the matrices in the last two dimensions. transpose_a, _b: of which those are first
  // exchanged.
  BatchMatMul(bool transpose_a, bool transpose_b)
      : transpose_a_(transpose_a), transpose_b_(transpose_b) {}

  // One input, and a constant; `constant_first`: it is the left factor.
  BatchMatMul(bool transpose_a, bool transpose_b, std::vector<float> constant, Shape constant_shape,
              bool constant_first)
      : transpose_a_(transpose_a),
        transpose_b_(transpose_b),
        constant_(std::move(constant)),
        constant_shape_(std::move(constant_shape)),
        constant_first_(constant_first),
        alone_(true) {}

  bool transpose_a() const { return transpose_a_; }
  bool transpose_b() const { return transpose_b_; }

  Status InferShape(const std::vector<Shape>& inputs, Shape* output) const override;
  bool TakesFlatImages(const Shape&) const override { return true; }
  bool LeavesFlatImages() const override { return true; }
  const BatchMatMul* AsBatchMatMul() const override { return alone_ ? nullptr : this; }
  Status Plan(const std::vector<const Tensor*>& inputs, const Tensor& output,
              const PlanContext& context, uint64_t* scratch) override;
  void Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
           const RunContext& context) const override;

 private:
  bool transpose_a_, transpose_b_;
  std::vector<float> constant_;
  Shape constant_shape_;
  bool constant_first_ = false;
  bool alone_ = false;  // there is a constant, and one input

  // Of the plan: y = a b for each of the matrices, or of all of them transposed, y' = b' a'.
  Matrices a_, b_, y_;
  bool swapped_ = false;
  ProductTasks tasks_;
  MatrixProduct product_;
  // Of a worker's scratch, in floats: packed columns, a panel of rows, and their results.
  size_t panel_at_ = 0, results_at_ = 0, worker_floats_ = 0;
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_OPS_BATCH_MATMUL_H_
