// MIRROR_PAD.
#ifndef SBNN_DELEGATE_ENGINE_OPS_MIRROR_PAD_H_
#define SBNN_DELEGATE_ENGINE_OPS_MIRROR_PAD_H_

#include <utility>
#include <vector>

#include "delegate/engine/moving_op.h"
#include "delegate/engine/ops/pad.h"

namespace sbnn {

class MirrorPad : public MovingOp {
 public:
  // `symmetric`: the border is mirrored too, else the mirror stands on it.
  MirrorPad(Padding padding, bool symmetric)
      : padding_(std::move(padding)), symmetric_(symmetric) {}

  Status InferShape(const std::vector<Shape>& inputs, Shape* output) const override;
  void Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
           const RunContext& context) const override;

 private:
  Padding padding_;
  bool symmetric_;
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_OPS_MIRROR_PAD_H_
