#include "delegate/engine/ops/reshape.h"

#include "delegate/translation/operators.h"
#include "delegate/translation/translate.h"
#include "tensorflow/lite/builtin_ops.h"

namespace sbnn {
namespace {

struct ReshapeParams {
  int32_t shape[8];
  int32_t num_dimensions;
};
ReshapeParams ReadReshape(const FlatTable& t) {
  ReshapeParams params = {};
  params.num_dimensions = ReadInts(t, 0, params.shape);
  return params;
}

struct SqueezeParams {
  int32_t axes[8];
  int32_t num_axes;
};
SqueezeParams ReadSqueeze(const FlatTable& t) {
  SqueezeParams params = {};
  params.num_axes = ReadInts(t, 0, params.axes);
  return params;
}

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

}  // namespace

std::vector<Operator> ReshapeOperators() {
  return {Operator(kTfLiteBuiltinExpandDims, 1, TranslateExpandDims).Holds(Types::kMoved),
          Operator(kTfLiteBuiltinReshape, 1, TranslateReshape)
              .Holds(Types::kMoved)
              .Parameters<ReadReshape>(17)
              .Inputs(2)
              .NumbersIn(2u),
          Operator(kTfLiteBuiltinSqueeze, 2, TranslateSqueeze)
              .Holds(Types::kMoved)
              .Parameters<ReadSqueeze>(30)};
}

}  // namespace sbnn
