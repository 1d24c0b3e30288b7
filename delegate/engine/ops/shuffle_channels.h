// RESHAPE, TRANSPOSE and RESHAPE that shuffle the channels of images (Zhang et al., "ShuffleNet: An
// Extremely Efficient Convolutional Neural Network for Mobile Devices", 2018, section 3.1).
#ifndef SBNN_DELEGATE_ENGINE_OPS_SHUFFLE_CHANNELS_H_
#define SBNN_DELEGATE_ENGINE_OPS_SHUFFLE_CHANNELS_H_

#include <vector>

#include "delegate/engine/moving_op.h"

namespace sbnn {

// The first channel of each of so many groups, then the second ones, and so on.
class ShuffleChannels : public MovingOp {
 public:
  explicit ShuffleChannels(int groups) : groups_(groups) {}

  Status InferShape(const std::vector<Shape>& inputs, Shape* output) const override;
  void Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
           const RunContext& context) const override;

 private:
  int groups_;
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_OPS_SHUFFLE_CHANNELS_H_
