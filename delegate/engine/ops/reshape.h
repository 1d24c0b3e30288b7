// RESHAPE to a shape known up to one dimension.
#ifndef SBNN_DELEGATE_ENGINE_OPS_RESHAPE_H_
#define SBNN_DELEGATE_ENGINE_OPS_RESHAPE_H_

#include <utility>
#include <vector>

#include "delegate/engine/op.h"

namespace sbnn {

class Reshape : public Op {
 public:
  // At most one entry is -1: whatever is left.
  explicit Reshape(Shape target) : target_(std::move(target)) {}

  Status InferShape(const std::vector<Shape>& inputs, Shape* output) const override;
  Status Plan(const std::vector<const Tensor*>& inputs, const Tensor& output,
              const PlanContext& context, size_t* scratch) override;
  void Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
           const RunContext& context) const override;

 private:
  Shape target_;
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_OPS_RESHAPE_H_
