#include "delegate/engine/ops/int8/convert.h"

#include "delegate/engine/ops/int8/lookup.h"
#include "delegate/translation/operators.h"
#include "delegate/translation/translate.h"
#include "tensorflow/lite/builtin_ops.h"

namespace sbnn {
namespace {

constexpr int kVector = 16;  // numbers that TensorFlow Lite's own kernel takes at a time

Status TranslateConvert(const NodeView& view, Translation* t) {
  const bool from_floats = t->type(t->inputs[0]).element == ElementType::kFloat32;
  const bool to_floats = t->type(t->output).element == ElementType::kFloat32;
  if (from_floats && to_floats) return Status::Error("a conversion from float32 to float32");
  if (from_floats || to_floats) {
    t->op = std::make_unique<ConvertNumbers>();
  } else {
    const Quantization from = t->quantization(t->inputs[0]), to = t->quantization(t->output);
    if (view.tensor(t->inputs[0]).type == view.tensor(t->output).type &&
        RequantizesInXnnpack(from, to)) {
      t->op = std::make_unique<Lookup>(RequantizeTable);
    } else {
      const auto table = [](Halves halves) {
        return [halves](const Quantization& x, const Quantization& y) {
          return ConvertTable(x, y, halves);
        };
      };
      t->op = std::make_unique<Lookup>(table(Halves::kUp), table(Halves::kAway), kVector);
    }
  }
  return Status();
}

}  // namespace

std::vector<Operator> ConvertOperators() {
  // (DEQUANTIZE of constants is claimed with what reads it, see Constants.)
  return {Operator(kTfLiteBuiltinDequantize, 8, TranslateConvert).Holds(Types::kConverted),
          Operator(kTfLiteBuiltinQuantize, 6, TranslateConvert).Holds(Types::kConverted)};
}

}  // namespace sbnn
