#include "delegate/engine/ops/strided_slice.h"

namespace sbnn {

Status StridedSlice::InferShape(const std::vector<Shape>& inputs, Shape* output) const {
  PlacedSlice placed;
  const Status status = Place(slice_, inputs[0], &placed);
  *output = placed.shape;
  if (status.ok() && output->empty()) return Status::Error("a slice to a scalar");
  return status;
}

Status StridedSlice::Plan(const std::vector<const Tensor*>& inputs, const Tensor& output,
                          const PlanContext&, uint64_t*) {
  PlacedSlice placed;
  const Status status = Place(slice_, inputs[0]->shape, &placed);
  if (!status.ok()) return status;
  Strides x = StridesOf(*inputs[0]), y = StridesOf(output);
  first_ = 0;
  size_t next = 0;  // dimension of the output
  Strides to;
  for (size_t d = 0; d < x.size(); ++d) {
    first_ += placed.first[d] * x[d];
    x[d] *= placed.stride[d];
    const bool dropped = d < slice_.begin.size() && (slice_.shrink_mask >> d & 1) != 0;
    to.push_back(dropped ? 0 : y[next++]);
  }
  copy_ = StridedCopy(placed.size, x, to);
  return Status();
}

void StridedSlice::Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
                       const RunContext& context) const {
  copy_.Run(inputs[0]->From(first_), output.data, output.type, context.kernels, context.team);
}

}  // namespace sbnn
