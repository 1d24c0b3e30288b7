#include "delegate/engine/ops/reshape.h"

#include "delegate/translation/translate.h"

namespace sbnn {

Status TranslateReshape(const NodeView& view, Translation* t) {
  if (t->inputs[0] != view.input(0)) return Status::Error("a constant is reshaped");
  if (t->inputs.size() == 2) {  // the new shape follows from others
    if (!view.numbers(t->inputs[1])) return Status::Error("expected a shape of whole numbers");
    t->op = std::make_unique<Reshape>(Shape());
    return Status();
  }
  Shape target;
  if (view.input(1) >= 0) {
    const Status status = view.constants.Ints(view.context, view.input(1), &target);
    if (!status.ok()) return Status::Error("new shape: " + status.message());
  } else {
    if (view.node->builtin_data == nullptr) return Status::Error("the new shape is missing");
    const auto& params = view.params<ReshapeParams>();
    if (params.num_dimensions < 0 || params.num_dimensions > 8) {
      return Status::Error("the new shape is missing");
    }
    target.assign(params.shape, params.shape + params.num_dimensions);
    if (target == Shape{0}) target.clear();  // as old files write a scalar
  }
  if (target.empty()) return Status::Error("a reshape to a scalar");
  int open = 0;
  for (int d : target) {
    if (d == -1) ++open;
    if (d < -1) return Status::Error("a reshape to a dimension of " + std::to_string(d));
  }
  if (open > 1) return Status::Error("a reshape with more than one open dimension");
  t->op = std::make_unique<Reshape>(std::move(target));
  return Status();
}

Status TranslateSqueeze(const NodeView& view, Translation* t) {
  const auto& params = view.params<SqueezeParams>();
  if (params.num_axes < 0 || params.num_axes > 8) return Status::Error("more than 8 dimensions");
  const auto squeeze = [&] {
    return std::make_unique<Squeeze>(std::vector<int>(params.axes, params.axes + params.num_axes));
  };
  Shape squeezed;
  const Status status = squeeze()->InferShape({view.shape(t->inputs[0])}, &squeezed);
  if (status.ok()) t->op = squeeze();
  return status;
}

Status TranslateExpandDims(const NodeView& view, Translation* t) {
  std::vector<int> axis;
  Status status = view.constants.Ints(view.context, view.input(1), &axis);
  if (!status.ok()) return Status::Error("axis: " + status.message());
  if (axis.size() != 1) return Status::Error("expected one axis");
  int found;
  status = ReadAxis(axis[0], static_cast<int>(view.shape(t->inputs[0]).size()) + 1, &found);
  if (status.ok()) t->op = std::make_unique<ExpandDims>(found);
  return status;
}

}  // namespace sbnn
