// Between the layouts of images in int8.
#ifndef SBNN_DELEGATE_ENGINE_OPS_RELAYOUT_H_
#define SBNN_DELEGATE_ENGINE_OPS_RELAYOUT_H_

#include <vector>

#include "delegate/engine/op.h"

namespace sbnn {

class Relayout : public Op {
 public:
  Status InferShape(const std::vector<Shape>& inputs, Shape* output) const override;
  bool Converts() const override { return true; }
  void Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
           const RunContext& context) const override;
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_OPS_RELAYOUT_H_
