#include "delegate/engine/ops/clamp.h"

#include "delegate/translation/translate.h"
#include "tensorflow/lite/builtin_ops.h"

namespace sbnn {

Status TranslateClamp(const NodeView& view, Translation* t) {
  const int code = view.registration->builtin_code;
  if (code == kTfLiteBuiltinRelu0To1) {
    t->op = std::make_unique<Clamp>(0.0f, 1.0f);
    return Status();
  }
  const FusedActivation activation = code == kTfLiteBuiltinRelu    ? FusedActivation::kRelu
                                     : code == kTfLiteBuiltinRelu6 ? FusedActivation::kRelu6
                                                                   : FusedActivation::kReluN1To1;
  float lo, hi;
  const Status status = ReadClamp(activation, &lo, &hi);
  if (!status.ok()) return status;
  t->op = std::make_unique<Clamp>(lo, hi);
  return Status();
}

}  // namespace sbnn
