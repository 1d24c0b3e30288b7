#include "delegate/engine/ops/transpose.h"

#include "delegate/translation/operators.h"
#include "delegate/translation/translate.h"
#include "tensorflow/lite/builtin_ops.h"

namespace sbnn {
namespace {

Status TranslateTranspose(const NodeView& view, Translation* t) {
  const Shape shape = view.shape(t->inputs[0]);
  std::vector<int> order;
  Status status = view.constants.Ints(view.context, view.input(1), &order);
  if (!status.ok()) return Status::Error("order: " + status.message());
  for (int& d : order) {
    status = ReadAxis(d, static_cast<int>(shape.size()), &d);
    if (!status.ok()) return status;
  }
  auto op = std::make_unique<Transpose>(std::move(order));
  Shape transposed;
  status = op->InferShape({shape}, &transposed);
  if (status.ok()) t->op = std::move(op);
  return status;
}

}  // namespace

std::vector<Operator> TransposeOperators() {
  return {Operator(kTfLiteBuiltinTranspose, 9, TranslateTranspose).Holds(Types::kMoved)};
}

}  // namespace sbnn
