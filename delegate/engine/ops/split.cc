#include "delegate/engine/ops/split.h"

#include <string>

namespace sbnn {

Status Split::InferShape(const std::vector<Shape>& inputs, Shape* output) const {
  *output = inputs[0];
  if (axis_ >= static_cast<int>(output->size())) return Status::Error("no such dimension");
  int& size = (*output)[axis_];
  if (count_ < 1 || which_ >= count_ || size % count_ != 0) {
    return Status::Error(std::to_string(size) + " elements do not split into " +
                         std::to_string(count_));
  }
  size /= count_;
  return Status();
}

Status Split::Plan(const std::vector<const Tensor*>& inputs, const Tensor& output,
                   const PlanContext&, uint64_t*) {
  const Strides strides = StridesOf(*inputs[0]);
  first_ = static_cast<ptrdiff_t>(which_) * output.shape[axis_] * strides[axis_];
  copy_ = StridedCopy(output.shape, strides, StridesOf(output));
  return Status();
}

void Split::Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
                const RunContext& context) const {
  copy_.Run(inputs[0]->From(first_), output.data, output.type, context.kernels, context.team);
}

}  // namespace sbnn
