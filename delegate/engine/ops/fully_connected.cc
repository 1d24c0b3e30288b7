#include "delegate/engine/ops/fully_connected.h"

#include <string>

#include "delegate/engine/ops/matrix.h"

namespace sbnn {

Status FullyConnected::InferShape(const std::vector<Shape>& inputs, Shape* output) const {
  if (LayoutOf(inputs[0]) == Layout::kPanel) {
    return Status::Error("a fully connected layer on images is not supported");
  }
  const size_t count = ElementCount(inputs[0]);
  const size_t depth = static_cast<size_t>(weights_->inputs);
  if (count % depth != 0 || (keep_dims_ && inputs[0].back() != weights_->inputs)) {
    return Status::Error("a layer of " + std::to_string(depth) + " inputs meets " +
                         std::to_string(count) + " values");
  }
  if (keep_dims_) {
    *output = inputs[0];
    output->back() = weights_->outputs;
  } else {
    *output = {static_cast<int>(count / depth), weights_->outputs};
  }
  return Status();
}

void FullyConnected::Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
                         const RunContext& context) const {
  const size_t depth = static_cast<size_t>(weights_->inputs);
  const size_t rows = ElementCount(inputs[0]->shape) / depth;
  for (size_t r = 0; r < rows; ++r) {
    RunSpmv(*weights_, inputs[0]->data + r * depth, output.data + r * weights_->outputs, lo_, hi_,
            context);
  }
}

}  // namespace sbnn
