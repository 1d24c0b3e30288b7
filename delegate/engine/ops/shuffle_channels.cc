#include "delegate/engine/ops/shuffle_channels.h"

#include <string>

#include "delegate/engine/strided.h"

namespace sbnn {

Status ShuffleChannels::InferShape(const std::vector<Shape>& inputs, Shape* output) const {
  const Shape& shape = inputs[0];
  if (shape.size() != 4) return Status::Error("expected 4 dimensions");
  if (groups_ < 1 || shape[3] % groups_ != 0) {
    return Status::Error(std::to_string(groups_) + " groups do not divide the channels");
  }
  *output = shape;
  return Status();
}

void ShuffleChannels::Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
                          const RunContext& context) const {
  const Shape& s = output.shape;
  const int of_group = s[3] / groups_;
  const Strides from = StridesOf(*inputs[0]), to = StridesOf(output);
  // Image, row, column, group, channel of it.
  const Strides x = {from[0], from[1], from[2], of_group * from[3], from[3]};
  const Strides y = {to[0], to[1], to[2], to[3], groups_ * to[3]};
  CopyStrided({s[0], s[1], s[2], groups_, of_group}, inputs[0]->data, x, output.data, y,
              output.type, context.kernels, context.team);
}

}  // namespace sbnn
