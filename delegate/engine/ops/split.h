// One output of SPLIT.
#ifndef SBNN_DELEGATE_ENGINE_OPS_SPLIT_H_
#define SBNN_DELEGATE_ENGINE_OPS_SPLIT_H_

#include <vector>

#include "delegate/engine/moving_op.h"
#include "delegate/engine/strided.h"

namespace sbnn {

class Split : public MovingOp {
 public:
  // Part `which` of `count` equal ones along a dimension.
  Split(int axis, int count, int which) : axis_(axis), count_(count), which_(which) {}

  Status InferShape(const std::vector<Shape>& inputs, Shape* output) const override;
  Status Plan(const std::vector<const Tensor*>& inputs, const Tensor& output,
              const PlanContext& context, uint64_t* scratch) override;
  void Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
           const RunContext& context) const override;

 private:
  int axis_, count_, which_;

  // Of the plan.
  StridedCopy copy_;
  ptrdiff_t first_ = 0;  // element of the input
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_OPS_SPLIT_H_
