// MEAN over height and width.
#ifndef SBNN_DELEGATE_ENGINE_OPS_MEAN_H_
#define SBNN_DELEGATE_ENGINE_OPS_MEAN_H_

#include <vector>

#include "delegate/engine/op.h"

namespace sbnn {

class Mean : public Op {
 public:
  // keep_dims: [N, 1, 1, C], otherwise [N, C].
  explicit Mean(bool keep_dims) : keep_dims_(keep_dims) {}

  Status InferShape(const std::vector<Shape>& inputs, Shape* output) const override;
  void Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
           const RunContext& context) const override;

 private:
  bool keep_dims_;
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_OPS_MEAN_H_
