#include "delegate/engine/ops/concatenation.h"

#include "delegate/translation/operators.h"
#include "delegate/translation/translate.h"
#include "tensorflow/lite/builtin_ops.h"

namespace sbnn {
namespace {

struct ConcatenationParams {
  int32_t axis;
  FusedActivation activation;
};
ConcatenationParams ReadConcatenation(const FlatTable& t) {
  return {t.Get<int32_t>(0), ReadActivation(t, 1)};
}

Status TranslateConcatenation(const NodeView& view, Translation* t) {
  if (static_cast<int>(t->inputs.size()) != view.input_count()) {
    return Status::Error("a constant is concatenated");
  }
  const auto& params = view.params<ConcatenationParams>();
  if (params.activation != FusedActivation::kNone) {
    return Status::Error("a concatenation with an activation");  // TFLite refuses it as well
  }
  const int rank = static_cast<int>(view.shape(t->inputs[0]).size());
  int axis;
  const Status status = ReadAxis(params.axis, rank, &axis);
  if (!status.ok()) return status;
  for (int input : t->inputs) {
    if (static_cast<int>(view.shape(input).size()) != rank) {
      return Status::Error("operands of different rank");
    }
  }
  for (int input : t->inputs) {
    // (Of int8, TFLite takes one scale only.)
    if (view.tensor(input).type == kTfLiteInt8 && t->type(input) != t->type(t->output)) {
      return Status::Error("operands of different scales");
    }
  }
  t->op = std::make_unique<Concatenation>(axis);
  return Status();
}

}  // namespace

std::vector<Operator> ConcatenationOperators() {
  return {Operator(kTfLiteBuiltinConcatenation, 6, TranslateConcatenation)
              .Holds(Types::kQuantized)
              .Parameters<ReadConcatenation>(10)
              .Inputs(64)};
}

}  // namespace sbnn
