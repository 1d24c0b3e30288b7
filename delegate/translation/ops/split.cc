#include "delegate/engine/ops/split.h"

#include "delegate/translation/operators.h"
#include "delegate/translation/translate.h"
#include "tensorflow/lite/builtin_ops.h"

namespace sbnn {
namespace {

struct SplitParams {
  int32_t count;
};
SplitParams ReadSplit(const FlatTable& t) { return {t.Get<int32_t>(0)}; }

Status TranslateSplit(const NodeView& view, Translation* t) {
  if (view.input_count() != 2 || t->inputs[0] != view.input(1)) {
    return Status::Error("expected a constant axis and a tensor");
  }
  std::vector<int> given;
  Status status = view.constants.Ints(view.context, view.input(0), &given);
  if (!status.ok()) return Status::Error("axis: " + status.message());
  if (given.size() != 1) return Status::Error("expected one axis");
  int axis;
  status = ReadAxis(given[0], static_cast<int>(view.shape(t->inputs[0]).size()), &axis);
  if (!status.ok()) return status;
  const int count = view.params<SplitParams>().count;
  if (count != view.node->outputs->size) return Status::Error("not as many outputs as parts");
  t->op = std::make_unique<Split>(axis, count, view.which);
  return Status();
}

}  // namespace

std::vector<Operator> SplitOperators() {
  return {Operator(kTfLiteBuiltinSplit, 4, TranslateSplit)
              .Holds(Types::kMoved)
              .Parameters<ReadSplit>(35)
              .ManyOutputs()};
}

}  // namespace sbnn
