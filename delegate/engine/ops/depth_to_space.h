// DEPTH_TO_SPACE and SPACE_TO_DEPTH.
#ifndef SBNN_DELEGATE_ENGINE_OPS_DEPTH_TO_SPACE_H_
#define SBNN_DELEGATE_ENGINE_OPS_DEPTH_TO_SPACE_H_

#include <vector>

#include "delegate/engine/moving_op.h"

namespace sbnn {

// [N, H, W, block * block * C] to [N, H * block, W * block, C].
class DepthToSpace : public MovingOp {
 public:
  explicit DepthToSpace(int block) : block_(block) {}

  Status InferShape(const std::vector<Shape>& inputs, Shape* output) const override;
  void Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
           const RunContext& context) const override;

 private:
  int block_;
};

// The way back.
class SpaceToDepth : public MovingOp {
 public:
  explicit SpaceToDepth(int block) : block_(block) {}

  Status InferShape(const std::vector<Shape>& inputs, Shape* output) const override;
  void Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
           const RunContext& context) const override;

 private:
  int block_;
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_OPS_DEPTH_TO_SPACE_H_
