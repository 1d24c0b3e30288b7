#include "delegate/engine/ops/activation.h"

#include "delegate/translation/translate.h"
#include "tensorflow/lite/builtin_ops.h"

namespace sbnn {

Status TranslateActivation(const NodeView& view, Translation* t) {
  UnaryKind kind;
  float alpha = 0;
  switch (view.registration->builtin_code) {
    case kTfLiteBuiltinLogistic:
      kind = UnaryKind::kLogistic;
      break;
    case kTfLiteBuiltinGelu:
      kind = view.params<GeluParams>().approximate ? UnaryKind::kGeluTanh : UnaryKind::kGelu;
      break;
    case kTfLiteBuiltinTanh:
      kind = UnaryKind::kTanh;
      break;
    case kTfLiteBuiltinHardSwish:
      kind = UnaryKind::kHardSwish;
      break;
    case kTfLiteBuiltinElu:
      kind = UnaryKind::kElu;
      break;
    default:
      kind = UnaryKind::kLeakyRelu;
      alpha = view.params<LeakyReluParams>().alpha;
  }
  t->op = std::make_unique<Activation>(kind, alpha);
  return Status();
}

}  // namespace sbnn
