#include "delegate/engine/ops/pad.h"

#include "delegate/engine/ops/mirror_pad.h"
#include "delegate/translation/translate.h"
#include "tensorflow/lite/builtin_ops.h"

namespace sbnn {

Status TranslatePad(const NodeView& view, Translation* t) {
  Padding padding;
  Status status = ReadPadding(view, &padding);
  if (!status.ok()) return status;
  std::vector<float> value = {0};
  if (view.registration->builtin_code == kTfLiteBuiltinPadv2) {
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

}  // namespace sbnn
