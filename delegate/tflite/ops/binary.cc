#include "delegate/engine/ops/binary.h"

#include "delegate/tflite/translate.h"
#include "tensorflow/lite/builtin_ops.h"

namespace sbnn {
namespace {

BinaryKind KindOf(int code) {
  switch (code) {
    case kTfLiteBuiltinAdd:
      return BinaryKind::kAdd;
    case kTfLiteBuiltinSub:
      return BinaryKind::kSub;
    case kTfLiteBuiltinMul:
      return BinaryKind::kMul;
    case kTfLiteBuiltinDiv:
      return BinaryKind::kDiv;
    case kTfLiteBuiltinMaximum:
      return BinaryKind::kMax;
    default:
      return BinaryKind::kMin;
  }
}

}  // namespace

Status TranslateBinary(const NodeView& view, Translation* t) {
  if (view.input_count() != 2) return Status::Error("expected 2 inputs");
  const int code = view.registration->builtin_code;
  float lo, hi;
  const bool plain = code == kTfLiteBuiltinMaximum || code == kTfLiteBuiltinMinimum;
  Status status =
      ReadClamp(plain ? FusedActivation::kNone : view.params<BinaryParams>().activation, &lo, &hi);
  if (!status.ok()) return status;
  const Shape shape = view.shape(t->inputs[0]);
  if (t->inputs.size() == 2) {
    const Shape other = view.shape(t->inputs[1]);
    if (!Binary::Spreads(shape, other) && !Binary::Spreads(other, shape)) {
      return Status::Error("a broadcast of this kind is not supported");
    }
    t->op = std::make_unique<Binary>(KindOf(code), lo, hi);
    return Status();
  }
  const bool constant_first = t->inputs[0] != view.input(0);
  const int constant = view.input(constant_first ? 0 : 1);
  std::vector<float> values;
  status = view.constants.DenseFloats(view.context, constant, &values);
  if (!status.ok()) return status;
  const Shape constant_shape = view.constants.ShapeOf(view.context, constant);
  const bool per_channel = !constant_shape.empty() && constant_shape.back() == shape.back() &&
                           static_cast<int>(values.size()) == shape.back();
  if (constant_shape.size() > shape.size() || (values.size() != 1 && !per_channel)) {
    return Status::Error("a broadcast of this kind is not supported");
  }
  t->op = std::make_unique<Binary>(KindOf(code), lo, hi, std::move(values), constant_first);
  return Status();
}

}  // namespace sbnn
