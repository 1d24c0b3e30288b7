// CONCATENATION.
#ifndef SBNN_DELEGATE_ENGINE_OPS_CONCATENATION_H_
#define SBNN_DELEGATE_ENGINE_OPS_CONCATENATION_H_

#include <vector>

#include "delegate/engine/op.h"

namespace sbnn {

class Concatenation : public Op {
 public:
  explicit Concatenation(int axis) : axis_(axis) {}

  Status InferShape(const std::vector<Shape>& inputs, Shape* output) const override;
  void Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
           const RunContext& context) const override;

 private:
  int axis_;
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_OPS_CONCATENATION_H_
