#include "delegate/engine/ops/stack.h"

#include "delegate/engine/ops/numbers.h"
#include "delegate/translation/operators.h"
#include "delegate/translation/translate.h"
#include "tensorflow/lite/builtin_ops.h"

namespace sbnn {
namespace {

struct PackParams {
  int32_t count;
  int32_t axis;
};
PackParams ReadPack(const FlatTable& t) { return {t.Get<int32_t>(0), t.Get<int32_t>(1)}; }

// Single numbers become a list.
Status TranslateNumbers(const NodeView& view, Translation* t) {
  std::vector<std::vector<int>> constants;
  for (int i = 0; i < view.input_count(); ++i) {
    const int input = view.input(i);
    if (input < 0 || !view.numbers(input) || !view.shape(input).empty()) {
      return Status::Error("expected single whole numbers");
    }
    constants.emplace_back();
    if (!view.constants.Has(view.context, input)) continue;
    const Status status = view.constants.Ints(view.context, input, &constants.back());
    if (!status.ok()) return status;
    if (constants.back().size() != 1) return Status::Error("expected single whole numbers");
  }
  t->op = std::make_unique<JoinNumbers>(std::move(constants));
  return Status();
}

Status TranslatePack(const NodeView& view, Translation* t) {
  if (view.numbers(t->output)) return TranslateNumbers(view, t);
  if (static_cast<int>(t->inputs.size()) != view.input_count()) {
    return Status::Error("a constant is packed");
  }
  const Shape shape = view.shape(t->inputs[0]);
  for (int input : t->inputs) {
    const Status status = CheckRank(view, input, static_cast<int>(shape.size()));
    if (!status.ok()) return status;
    if (view.shape(input) != shape) return Status::Error("operands of different shapes");
  }
  int axis;
  const Status status =
      ReadAxis(view.params<PackParams>().axis, static_cast<int>(shape.size()) + 1, &axis);
  if (!status.ok()) return status;
  t->op = std::make_unique<Stack>(axis);
  return Status();
}

}  // namespace

std::vector<Operator> PackOperators() {
  return {Operator(kTfLiteBuiltinPack, 4, TranslatePack)
              .Holds(Types::kMoved)
              .Parameters<ReadPack>(59)
              .Inputs(64)
              .NumbersIn(~0u)
              .NumbersOut()};
}

}  // namespace sbnn
