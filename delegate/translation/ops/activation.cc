#include "delegate/engine/ops/activation.h"

#include "delegate/engine/ops/int8/lookup.h"
#include "delegate/engine/stock_rounding.h"
#include "delegate/translation/operators.h"
#include "delegate/translation/translate.h"
#include "tensorflow/lite/builtin_ops.h"

namespace sbnn {
namespace {

struct LeakyReluParams {
  float alpha;
};
LeakyReluParams ReadLeakyRelu(const FlatTable& t) { return {t.Get<float>(0)}; }

struct GeluParams {
  bool approximate;
};
GeluParams ReadGelu(const FlatTable& t) { return {ReadFlag(t, 0)}; }

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
  if (!t->quantized()) {
    t->op = std::make_unique<Activation>(kind, alpha);
    return Status();
  }
  const Quantization in = t->quantization(t->inputs[0]), out = t->quantization(t->output);
  // (TensorFlow Lite's kernel would shift by a negative number.)
  if (kind == UnaryKind::kHardSwish && in.scale / 128 >= out.scale) {
    return Status::Error("an output of a scale far below the input's");
  }
  const bool was_uint8 = view.tensor(t->output).type == kTfLiteUInt8;
  const auto table = [kind, alpha, was_uint8](const Quantization& x, const Quantization& y) {
    return FunctionTable(kind, alpha, x, y, was_uint8);
  };
  if (kind == UnaryKind::kHardSwish && kStockHasFixedPoint) {
    constexpr int kVector = 8;  // numbers that TensorFlow Lite's own kernel takes at a time
    t->op = std::make_unique<Lookup>(HardSwishTableOfVectors, table, kVector);
  } else {
    t->op = std::make_unique<Lookup>(table);
  }
  return Status();
}

}  // namespace

std::vector<Operator> ActivationOperators() {
  return {Operator(kTfLiteBuiltinElu, 1, TranslateActivation)
              .Holds(Types::kQuantized)
              .Costs(Work::kFunction),
          Operator(kTfLiteBuiltinGelu, 3, TranslateActivation)
              .Holds(Types::kQuantized)
              .Parameters<ReadGelu>(116)
              .Costs(Work::kFunction),
          Operator(kTfLiteBuiltinHardSwish, 1, TranslateActivation)
              .Holds(Types::kQuantized)
              .Costs(Work::kFunction),
          Operator(kTfLiteBuiltinLeakyRelu, 2, TranslateActivation)
              .Holds(Types::kQuantized)
              .Parameters<ReadLeakyRelu>(75),
          Operator(kTfLiteBuiltinLogistic, 3, TranslateActivation)
              .Holds(Types::kQuantized)
              .Costs(Work::kFunction),
          Operator(kTfLiteBuiltinTanh, 3, TranslateActivation)
              .Holds(Types::kQuantized)
              .Costs(Work::kFunction)};
}

}  // namespace sbnn
