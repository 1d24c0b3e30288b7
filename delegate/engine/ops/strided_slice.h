// STRIDED_SLICE.
#ifndef SBNN_DELEGATE_ENGINE_OPS_STRIDED_SLICE_H_
#define SBNN_DELEGATE_ENGINE_OPS_STRIDED_SLICE_H_

#include <utility>
#include <vector>

#include "delegate/engine/moving_op.h"
#include "delegate/engine/slice.h"
#include "delegate/engine/strided.h"

namespace sbnn {

class StridedSlice : public MovingOp {
 public:
  explicit StridedSlice(Slice slice) : slice_(std::move(slice)) {}

  Status InferShape(const std::vector<Shape>& inputs, Shape* output) const override;
  Status Plan(const std::vector<const Tensor*>& inputs, const Tensor& output,
              const PlanContext& context, uint64_t* scratch) override;
  void Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
           const RunContext& context) const override;

 private:
  Slice slice_;

  // Of the plan.
  StridedCopy copy_;
  ptrdiff_t first_ = 0;  // element of the input
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_OPS_STRIDED_SLICE_H_
