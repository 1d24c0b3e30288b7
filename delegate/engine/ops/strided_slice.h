// STRIDED_SLICE.
#ifndef SBNN_DELEGATE_ENGINE_OPS_STRIDED_SLICE_H_
#define SBNN_DELEGATE_ENGINE_OPS_STRIDED_SLICE_H_

#include <utility>
#include <vector>

#include "delegate/engine/moving_op.h"
#include "delegate/engine/slice.h"

namespace sbnn {

class StridedSlice : public MovingOp {
 public:
  explicit StridedSlice(Slice slice) : slice_(std::move(slice)) {}

  Status InferShape(const std::vector<Shape>& inputs, Shape* output) const override;
  void Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
           const RunContext& context) const override;

 private:
  Slice slice_;
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_OPS_STRIDED_SLICE_H_
