#include "delegate/engine/ops/pad.h"

#include "delegate/engine/ops/mirror_pad.h"
#include "delegate/translation/operators.h"
#include "delegate/translation/translate.h"
#include "tensorflow/lite/builtin_ops.h"

namespace sbnn {
namespace {

struct MirrorPadParams {
  int32_t mode;  // 1: REFLECT, without the border; 2: SYMMETRIC, with it
};
// (The schema's modes are one less than the C API's.)
MirrorPadParams ReadMirrorPad(const FlatTable& t) { return {t.Get<int8_t>(0) + 1}; }

Status TranslatePad(const NodeView& view, Translation* t) {
  Padding padding;
  Status status = ReadPadding(view, &padding);
  if (!status.ok()) return status;
  std::vector<float> value = {0};
  const bool given = view.registration->builtin_code == kTfLiteBuiltinPadv2;
  if (given && t->quantized()) {
    Int8Binary::Constant constant;
    status = ReadOperand(view, view.input(2), &constant);
    if (!status.ok()) return Status::Error("value: " + status.message());
    if (constant.numbers.size() != 1) return Status::Error("expected one value");
    if (constant.quantization != t->quantization(t->output)) {
      return Status::Error("a value of another scale");  // TFLite refuses it as well
    }
    value[0] = constant.quantization.scale *
               static_cast<float>(constant.numbers[0] - constant.quantization.zero_point);
  } else if (given) {
    status = view.constants.DenseFloats(view.context, view.input(2), &value);
    if (!status.ok()) return Status::Error("value: " + status.message());
    if (value.size() != 1) return Status::Error("expected one value");
  }
  t->op = std::make_unique<Pad>(std::move(padding), value[0]);
  return Status();
}

Status TranslateMirrorPad(const NodeView& view, Translation* t) {
  const int mode = view.params<MirrorPadParams>().mode;
  if (mode != 1 && mode != 2) return Status::Error("mode " + std::to_string(mode));
  Padding padding;
  Status status = ReadPadding(view, &padding);
  if (!status.ok()) return status;
  auto op = std::make_unique<MirrorPad>(std::move(padding), mode == 2);
  Shape padded;
  status = op->InferShape({view.shape(t->inputs[0])}, &padded);
  if (status.ok()) t->op = std::move(op);
  return status;
}

}  // namespace

std::vector<Operator> PadOperators() {
  return {Operator(kTfLiteBuiltinMirrorPad, 3, TranslateMirrorPad)
              .Holds(Types::kMoved)
              .Parameters<ReadMirrorPad>(77),
          Operator(kTfLiteBuiltinPad, 5, TranslatePad).Holds(Types::kMoved),
          Operator(kTfLiteBuiltinPadv2, 5, TranslatePad).Holds(Types::kMoved)};
}

}  // namespace sbnn
