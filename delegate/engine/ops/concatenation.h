// CONCATENATION.
#ifndef SBNN_DELEGATE_ENGINE_OPS_CONCATENATION_H_
#define SBNN_DELEGATE_ENGINE_OPS_CONCATENATION_H_

#include <optional>
#include <vector>

#include "delegate/engine/moving_op.h"
#include "delegate/engine/tables.h"

namespace sbnn {

class Concatenation : public MovingOp {
 public:
  explicit Concatenation(int axis) : axis_(axis) {}

  Status InferShape(const std::vector<Shape>& inputs, Shape* output) const override;
  Status Plan(const std::vector<const Tensor*>& inputs, const Tensor& output,
              const PlanContext& context, uint64_t* scratch) override;
  void Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
           const RunContext& context) const override;

 private:
  int axis_;
  std::vector<std::optional<Table>> rescale_;  // of the plan: by input, where scales differ
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_OPS_CONCATENATION_H_
