// TRANSPOSE.
#ifndef SBNN_DELEGATE_ENGINE_OPS_TRANSPOSE_H_
#define SBNN_DELEGATE_ENGINE_OPS_TRANSPOSE_H_

#include <utility>
#include <vector>

#include "delegate/engine/moving_op.h"

namespace sbnn {

class Transpose : public MovingOp {
 public:
  // Dimension d of the output is dimension order[d] of the input.
  explicit Transpose(std::vector<int> order) : order_(std::move(order)) {}

  bool TakesFlatImages(const Shape&) const override { return true; }
  bool LeavesFlatImages() const override { return true; }
  const std::vector<int>* AsTranspose() const override { return &order_; }
  bool SkipsReshape(const Shape& input, const Shape& output) const override;
  Status InferShape(const std::vector<Shape>& inputs, Shape* output) const override;
  void Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
           const RunContext& context) const override;

 private:
  std::vector<int> order_;
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_OPS_TRANSPOSE_H_
