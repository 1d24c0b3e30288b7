#include "delegate/engine/ops/binary.h"

#include <limits>

#include "delegate/translation/operators.h"
#include "delegate/translation/translate.h"
#include "tensorflow/lite/builtin_ops.h"

namespace sbnn {
namespace {

// ADD, SUB, MUL and DIV; what follows differs.
struct BinaryParams {
  FusedActivation activation;
};
BinaryParams ReadBinary(const FlatTable& t) { return {ReadActivation(t, 0)}; }

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
    case kTfLiteBuiltinPrelu:
      return BinaryKind::kPrelu;
    case kTfLiteBuiltinSquaredDifference:
      return BinaryKind::kSquaredDifference;
    default:
      return BinaryKind::kMin;
  }
}

Status TranslateInt8(const NodeView& view, BinaryKind kind, float lo, float hi, Translation* t) {
  const bool constant_first = t->inputs[0] != view.input(0);
  if (constant_first && kind == BinaryKind::kPrelu) return Status::Error("the input is a constant");
  Int8Binary::Constant constant;
  Quantization operands[2];
  std::vector<Shape> shapes;
  for (int i = 0; i < 2; ++i) {
    if (t->inputs.size() == 1 && (i == 0) == constant_first) {
      const Status status = ReadOperand(view, view.input(i), &constant);
      if (!status.ok()) return status;
      operands[i] = constant.quantization;
    } else {
      operands[i] = t->quantization(view.input(i));
      shapes.push_back(view.shape(view.input(i)));
    }
  }
  const Status status =
      Arithmetic::Check(kind, operands[0], operands[1], t->quantization(t->output));
  if (!status.ok()) return status;
  if (t->inputs.size() == 2) {
    t->op = std::make_unique<Int8Binary>(kind, lo, hi);
  } else {
    t->op = std::make_unique<Int8Binary>(kind, lo, hi, std::move(constant), constant_first);
  }
  Shape shape;
  return t->op->InferShape(shapes, &shape);
}

Status TranslateBinary(const NodeView& view, Translation* t) {
  if (view.input_count() != 2) return Status::Error("expected 2 inputs");
  const int code = view.registration->builtin_code;
  float lo, hi;
  const bool plain = code == kTfLiteBuiltinMaximum || code == kTfLiteBuiltinMinimum ||
                     code == kTfLiteBuiltinPrelu || code == kTfLiteBuiltinSquaredDifference;
  Status status =
      ReadClamp(plain ? FusedActivation::kNone : view.params<BinaryParams>().activation, &lo, &hi);
  if (!status.ok()) return status;
  if (t->quantized()) return TranslateInt8(view, KindOf(code), lo, hi, t);
  if (t->inputs.size() == 2) {
    t->op = std::make_unique<Binary>(KindOf(code), lo, hi);
    Shape shape;
    return t->op->InferShape({view.shape(t->inputs[0]), view.shape(t->inputs[1])}, &shape);
  }
  const bool constant_first = t->inputs[0] != view.input(0);
  if (constant_first && code == kTfLiteBuiltinPrelu)
    return Status::Error("the input is a constant");
  const int constant = view.input(constant_first ? 0 : 1);
  std::vector<float> values;
  status = view.constants.DenseFloats(view.context, constant, &values);
  if (!status.ok()) return status;
  t->op = std::make_unique<Binary>(KindOf(code), lo, hi, std::move(values),
                                   view.constants.ShapeOf(view.context, constant), constant_first);
  Shape shape;
  return t->op->InferShape({view.shape(t->inputs[0])}, &shape);
}

// A product with -1, which makes -0 of 0 too.
Status TranslateNeg(const NodeView&, Translation* t) {
  constexpr float kAny = std::numeric_limits<float>::infinity();
  t->op = std::make_unique<Binary>(BinaryKind::kMul, -kAny, kAny, std::vector<float>{-1}, Shape{},
                                   false);
  return Status();
}

}  // namespace

std::vector<Operator> BinaryOperators() {
  return {Operator(kTfLiteBuiltinAdd, 6, TranslateBinary)
              .Holds(Types::kQuantized)
              .Parameters<ReadBinary>(11)
              .Inputs(2),
          Operator(kTfLiteBuiltinDiv, 2, TranslateBinary).Parameters<ReadBinary>(29).Inputs(2),
          Operator(kTfLiteBuiltinMaximum, 4, TranslateBinary).Holds(Types::kQuantized).Inputs(2),
          Operator(kTfLiteBuiltinMinimum, 4, TranslateBinary).Holds(Types::kQuantized).Inputs(2),
          Operator(kTfLiteBuiltinMul, 8, TranslateBinary)
              .Holds(Types::kQuantized)
              .Parameters<ReadBinary>(21)
              .Inputs(2),
          Operator(kTfLiteBuiltinNeg, 1, TranslateNeg),
          Operator(kTfLiteBuiltinPrelu, 1, TranslateBinary).Holds(Types::kQuantized).Inputs(2),
          Operator(kTfLiteBuiltinSquaredDifference, 2, TranslateBinary).Inputs(2),
          Operator(kTfLiteBuiltinSub, 5, TranslateBinary)
              .Holds(Types::kQuantized)
              .Parameters<ReadBinary>(28)
              .Inputs(2)};
}

}  // namespace sbnn
