// PAD with zeros.
#ifndef SBNN_DELEGATE_ENGINE_OPS_PAD_H_
#define SBNN_DELEGATE_ENGINE_OPS_PAD_H_

#include <vector>

#include "delegate/engine/op.h"

namespace sbnn {

class Pad : public Op {
 public:
  // Zeros around height and width; other dimensions are not padded.
  explicit Pad(const Margin& margin) : margin_(margin) {}

  const Margin& margin() const { return margin_; }

  Status InferShape(const std::vector<Shape>& inputs, Shape* output) const override;
  void Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
           const RunContext& context) const override;

 private:
  Margin margin_;
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_OPS_PAD_H_
