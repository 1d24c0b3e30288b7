#include "delegate/engine/ops/numbers.h"
#include "delegate/translation/operators.h"
#include "delegate/translation/translate.h"
#include "tensorflow/lite/builtin_ops.h"

namespace sbnn {
namespace {

Status TranslateShape(const NodeView& view, Translation* t) {
  if (!view.numbers(t->output)) return Status::Error("expected 32-bit integers");
  t->op = std::make_unique<ShapeOf>();
  return Status();
}

}  // namespace

std::vector<Operator> ShapeOperators() {
  return {Operator(kTfLiteBuiltinShape, 1, TranslateShape).NumbersOut()};
}

}  // namespace sbnn
