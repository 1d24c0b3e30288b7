#include "delegate/engine/ops/numbers.h"

namespace sbnn {

Status ShapeOf::InferShape(const std::vector<Shape>& inputs, Shape* output) const {
  *output = inputs[0];
  return Status();
}

Status SliceNumbers::InferShape(const std::vector<Shape>& inputs, Shape* output) const {
  const Shape& numbers = inputs[0];
  PlacedSlice placed;
  const Status status = Place(slice_, {static_cast<int>(numbers.size())}, &placed);
  if (!status.ok()) return status;
  output->clear();
  for (int i = 0; i < placed.size[0]; ++i) {
    output->push_back(numbers[placed.first[0] + i * placed.stride[0]]);
  }
  return Status();
}

Status JoinNumbers::InferShape(const std::vector<Shape>& inputs, Shape* output) const {
  output->clear();
  size_t next = 0;
  for (const std::vector<int>& constant : constants_) {
    const std::vector<int>& list = constant.empty() ? inputs[next++] : constant;
    output->insert(output->end(), list.begin(), list.end());
  }
  return Status();
}

}  // namespace sbnn
