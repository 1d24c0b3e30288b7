// SOFTMAX over the last dimension.
#ifndef SBNN_DELEGATE_ENGINE_OPS_SOFTMAX_H_
#define SBNN_DELEGATE_ENGINE_OPS_SOFTMAX_H_

#include <vector>

#include "delegate/engine/op.h"

namespace sbnn {

class Softmax : public Op {
 public:
  explicit Softmax(float beta) : beta_(beta) {}

  bool AsSoftmax(float* beta) const override {
    *beta = beta_;
    return true;
  }
  Status InferShape(const std::vector<Shape>& inputs, Shape* output) const override;
  void Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
           const RunContext& context) const override;

 private:
  float beta_;
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_OPS_SOFTMAX_H_
