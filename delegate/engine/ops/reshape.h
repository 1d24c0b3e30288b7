// RESHAPE, and what else changes the shape alone: SQUEEZE, EXPAND_DIMS.
#ifndef SBNN_DELEGATE_ENGINE_OPS_RESHAPE_H_
#define SBNN_DELEGATE_ENGINE_OPS_RESHAPE_H_

#include <utility>
#include <vector>

#include "delegate/engine/moving_op.h"

namespace sbnn {

class Reshape : public MovingOp {
 public:
  // At most one entry is -1: whatever is left. Empty: the second input says it.
  explicit Reshape(Shape target) : target_(std::move(target)) {}

  bool TakesFlatImages(const Shape&) const override { return true; }
  bool LeavesFlatImages() const override { return true; }
  bool Reshapes() const override { return true; }
  Status InferShape(const std::vector<Shape>& inputs, Shape* output) const override;
  bool MayOverwrite(const Tensor& input, const Tensor& output, int) const override {
    return input.layout == Layout::kFlat && output.layout == Layout::kFlat;
  }
  LayoutUse Reads(Layout, const std::vector<Shape>&) const override { return LayoutUse::kCan; }
  Status Plan(const std::vector<const Tensor*>& inputs, const Tensor& output,
              const PlanContext& context, uint64_t* scratch) override;
  void Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
           const RunContext& context) const override;

 private:
  Shape target_;
};

class Squeeze : public Reshape {
 public:
  // Dimensions of one element to drop; none are named: all of them.
  explicit Squeeze(std::vector<int> axes) : Reshape({}), axes_(std::move(axes)) {}

  Status InferShape(const std::vector<Shape>& inputs, Shape* output) const override;

 private:
  std::vector<int> axes_;
};

class ExpandDims : public Reshape {
 public:
  // The new dimension of one element, counted in the output.
  explicit ExpandDims(int axis) : Reshape({}), axis_(axis) {}

  Status InferShape(const std::vector<Shape>& inputs, Shape* output) const override;

 private:
  int axis_;
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_OPS_RESHAPE_H_
