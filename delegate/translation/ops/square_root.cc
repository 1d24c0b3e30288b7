#include "delegate/engine/ops/square_root.h"

#include "delegate/translation/operators.h"
#include "delegate/translation/translate.h"
#include "tensorflow/lite/builtin_ops.h"

namespace sbnn {
namespace {

Status TranslateSquareRoot(const NodeView& view, Translation* t) {
  t->op = std::make_unique<SquareRoot>(view.registration->builtin_code == kTfLiteBuiltinRsqrt);
  return Status();
}

}  // namespace

std::vector<Operator> SquareRootOperators() {
  return {Operator(kTfLiteBuiltinRsqrt, 3, TranslateSquareRoot).Costs(Work::kFunction),
          Operator(kTfLiteBuiltinSqrt, 2, TranslateSquareRoot).Costs(Work::kFunction)};
}

}  // namespace sbnn
