// Between float32 and float16.
#ifndef SBNN_DELEGATE_ENGINE_OPS_CONVERT_H_
#define SBNN_DELEGATE_ENGINE_OPS_CONVERT_H_

#include <vector>

#include "delegate/engine/op.h"

namespace sbnn {

// To the other type, in the same layout. Its kernels are those of float16.
class Convert : public Op {
 public:
  Status InferShape(const std::vector<Shape>& inputs, Shape* output) const override;
  bool Converts() const override { return true; }
  void Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
           const RunContext& context) const override;
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_OPS_CONVERT_H_
