#include "delegate/engine/ops/strided_slice.h"

#include "delegate/engine/strided.h"

namespace sbnn {

Status StridedSlice::InferShape(const std::vector<Shape>& inputs, Shape* output) const {
  PlacedSlice placed;
  const Status status = Place(slice_, inputs[0], &placed);
  *output = placed.shape;
  if (status.ok() && output->empty()) return Status::Error("a slice to a scalar");
  return status;
}

void StridedSlice::Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
                       const RunContext& context) const {
  PlacedSlice placed;
  if (!Place(slice_, inputs[0]->shape, &placed).ok()) return;  // InferShape said that it fits
  Strides x = StridesOf(*inputs[0]), y = StridesOf(output);
  ptrdiff_t first = 0;
  size_t next = 0;  // dimension of the output
  Strides to;
  for (size_t d = 0; d < x.size(); ++d) {
    first += placed.first[d] * x[d];
    x[d] *= placed.stride[d];
    const bool dropped = d < slice_.begin.size() && (slice_.shrink_mask >> d & 1) != 0;
    to.push_back(dropped ? 0 : y[next++]);
  }
  CopyStrided(placed.size, inputs[0]->From(first), x, output.data, to, output.type, context.kernels,
              context.team);
}

}  // namespace sbnn
