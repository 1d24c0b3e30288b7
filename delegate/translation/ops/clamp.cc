#include "delegate/engine/ops/clamp.h"

#include "delegate/engine/ops/int8/lookup.h"
#include "delegate/translation/operators.h"
#include "delegate/translation/translate.h"
#include "tensorflow/lite/builtin_ops.h"

namespace sbnn {
namespace {

Status MakeClamp(float lo, float hi, Translation* t) {
  if (t->quantized()) {
    t->op = std::make_unique<Lookup>([lo, hi](const Quantization& x, const Quantization& y) {
      return ClampTable(lo, hi, x, y);
    });
  } else {
    t->op = std::make_unique<Clamp>(lo, hi);
  }
  return Status();
}

Status TranslateClamp(const NodeView& view, Translation* t) {
  const int code = view.registration->builtin_code;
  if (code == kTfLiteBuiltinRelu0To1) {
    return MakeClamp(0.0f, 1.0f, t);
  }
  const FusedActivation activation = code == kTfLiteBuiltinRelu    ? FusedActivation::kRelu
                                     : code == kTfLiteBuiltinRelu6 ? FusedActivation::kRelu6
                                                                   : FusedActivation::kReluN1To1;
  float lo, hi;
  const Status status = ReadClamp(activation, &lo, &hi);
  if (!status.ok()) return status;
  return MakeClamp(lo, hi, t);
}

}  // namespace

std::vector<Operator> ClampOperators() {
  return {Operator(kTfLiteBuiltinRelu, 3, TranslateClamp).Holds(Types::kQuantized),
          Operator(kTfLiteBuiltinRelu0To1, 1, TranslateClamp).Holds(Types::kQuantized),
          Operator(kTfLiteBuiltinRelu6, 3, TranslateClamp).Holds(Types::kQuantized),
          Operator(kTfLiteBuiltinReluN1To1, 1, TranslateClamp).Holds(Types::kQuantized)};
}

}  // namespace sbnn
