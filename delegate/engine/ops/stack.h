// PACK: tensors of one shape behind one another along a new dimension.
#ifndef SBNN_DELEGATE_ENGINE_OPS_STACK_H_
#define SBNN_DELEGATE_ENGINE_OPS_STACK_H_

#include <vector>

#include "delegate/engine/moving_op.h"

namespace sbnn {

class Stack : public MovingOp {
 public:
  // The new dimension, counted in the output.
  explicit Stack(int axis) : axis_(axis) {}

  Status InferShape(const std::vector<Shape>& inputs, Shape* output) const override;
  void Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
           const RunContext& context) const override;

 private:
  int axis_;
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_OPS_STACK_H_
