#include "delegate/engine/ops/reshape.h"

#include <algorithm>

#include "delegate/engine/layout.h"

namespace sbnn {
namespace {

constexpr size_t kMost = size_t{1} << 31;

}  // namespace

Status Reshape::InferShape(const std::vector<Shape>& inputs, Shape* output) const {
  const size_t count = ElementCount(inputs[0]);
  *output = target_.empty() && inputs.size() == 2 ? inputs[1] : target_;
  size_t known = 1;
  int* open = nullptr;
  for (int& d : *output) {
    if (d == -1 && open == nullptr) {
      open = &d;
    } else if (d < 0) {
      return Status::Error("a reshape to a dimension of " + std::to_string(d));
    } else {
      known *= static_cast<size_t>(d);
      // (Of nothing, any shape with an open dimension is a shape; the limit keeps products in
      // range.)
      if (known > std::max(count, kMost)) return Status::Error("a reshape to more elements");
    }
  }
  if (open != nullptr) {
    if (known == 0) return Status::Error("a reshape to nothing of open shape");
    *open = static_cast<int>(count / known);
    known *= static_cast<size_t>(*open);
  }
  if (known != count) {
    return Status::Error("a reshape from " + std::to_string(count) + " elements to " +
                         std::to_string(known));
  }
  return Status();
}

Status Reshape::Plan(const std::vector<const Tensor*>& inputs, const Tensor& output,
                     const PlanContext&, uint64_t* scratch) {
  const bool both = inputs[0]->layout != Layout::kFlat && output.layout != Layout::kFlat;
  *scratch = both ? ElementCount(output.shape) * BytesOf(output.type) : 0;
  return Status();
}

void Reshape::Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
                  const RunContext& context) const {
  const Tensor& input = *inputs[0];
  if (input.layout == Layout::kFlat) {
    if (output.data != input.data) FromFlat(input.data, output, context.kernels, context.team);
  } else if (output.layout == Layout::kFlat) {
    ToFlat(input, output.data, context.kernels, context.team);
  } else {
    ToFlat(input, context.scratch, context.kernels, context.team);
    FromFlat(context.scratch, output, context.kernels, context.team);
  }
}

Status Squeeze::InferShape(const std::vector<Shape>& inputs, Shape* output) const {
  const int rank = static_cast<int>(inputs[0].size());
  std::vector<bool> drop(rank, axes_.empty());
  for (int axis : axes_) {
    const int d = axis < 0 ? axis + rank : axis;
    if (d < 0 || d >= rank) return Status::Error("no such dimension");
    if (inputs[0][d] != 1) return Status::Error("a squeeze of more than one element");
    drop[d] = true;
  }
  output->clear();
  for (int d = 0; d < rank; ++d) {
    if (!drop[d] || inputs[0][d] != 1) output->push_back(inputs[0][d]);
  }
  if (output->empty()) return Status::Error("a squeeze to a scalar");
  return Status();
}

Status ExpandDims::InferShape(const std::vector<Shape>& inputs, Shape* output) const {
  const int rank = static_cast<int>(inputs[0].size());
  const int axis = axis_ < 0 ? axis_ + rank + 1 : axis_;
  if (axis < 0 || axis > rank) return Status::Error("no such dimension");
  *output = inputs[0];
  output->insert(output->begin() + axis, 1);
  return Status();
}

}  // namespace sbnn
