// BATCH_MATMUL, SOFTMAX and BATCH_MATMUL as one: what a head of attention computes, softmax(beta Q
// K' + mask) V (Vaswani et al., "Attention Is All You Need", 2017, section 3.2.1).
#ifndef SBNN_DELEGATE_ENGINE_OPS_ATTENTION_H_
#define SBNN_DELEGATE_ENGINE_OPS_ATTENTION_H_

#include <array>
#include <cstddef>
#include <utility>
#include <vector>

#include "delegate/engine/matrices.h"
#include "delegate/engine/op.h"

namespace sbnn {

// The scores of some rows of Q are all that exists of them at a time, and stay in a cache. Of keys
// that a constant mask hides from all these rows, as those of later words in a causal one, nothing
// is computed: their powers are 0. (Unless scores are of the size of what hides them, or no
// numbers; these come out of rows that see them.)
class Attention : public Op {
 public:
  // A stack of matrices, [..., rows, columns].
  struct Operand {
    Shape shape;
    bool transposed = false;  // the last two dimensions are columns and rows
    Strides strides;          // empty: those of the tensor, which has this shape
  };

  // What is added to the scores, of a shape that broadcasts to theirs: a constant, or the fourth
  // input.
  struct Mask {
    bool exists = false;
    Shape shape;
    float factor = 1;
    std::vector<float> constant;
  };

  // [..., queries, depth], [..., depth, keys], [..., keys, values] and the result, [..., queries,
  // values].
  Attention(float beta, std::array<Operand, 3> operands, Mask mask, Operand result)
      : beta_(beta),
        operands_(std::move(operands)),
        mask_(std::move(mask)),
        result_(std::move(result)) {}

  Operand* operand(int i) { return &operands_[i]; }
  Operand* result() { return &result_; }

  Status InferShape(const std::vector<Shape>& inputs, Shape* output) const override;
  bool TakesFlatImages(const Shape&) const override { return true; }
  bool LeavesFlatImages() const override { return true; }
  Status Plan(const std::vector<const Tensor*>& inputs, const Tensor& output,
              const PlanContext& context, uint64_t* scratch) override;
  void Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
           const RunContext& context) const override;

 private:
  // Of the keys for a tile of rows: those before `plain` have a mask of 0, and those from `seen` on
  // are hidden.
  struct Keys {
    size_t plain, seen;
  };
  std::vector<Keys> FindKeys() const;
  void AddMask(const float* mask, const Tile& tile, const Keys& keys, size_t count, float* panel,
               float* scores, const Kernels& kernels) const;

  float beta_;
  std::array<Operand, 3> operands_;
  Mask mask_;
  Operand result_;

  // Of the plan.
  Matrices q_, k_, v_, y_, masks_;
  ProductTasks tasks_;
  std::vector<Keys> keys_;  // of each tile
  MatrixProduct scores_, values_;
  // Of a worker's scratch, in floats: packed columns of K' and V, a panel of rows of Q, their
  // scores, mask and results.
  size_t v_at_ = 0, q_at_ = 0, scores_at_ = 0, mask_at_ = 0, results_at_ = 0, worker_floats_ = 0;
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_OPS_ATTENTION_H_
