#include "delegate/engine/ops/mean.h"

#include <algorithm>

#include "delegate/engine/ops/int8/mean.h"
#include "delegate/translation/operators.h"
#include "delegate/translation/translate.h"
#include "tensorflow/lite/builtin_ops.h"

namespace sbnn {
namespace {

struct ReducerParams {
  bool keep_dims;
};
ReducerParams ReadReducer(const FlatTable& t) { return {ReadFlag(t, 0)}; }

Status TranslateMean(const NodeView& view, Translation* t) {
  const Shape shape = view.shape(t->inputs[0]);
  std::vector<int> axes;
  Status status = view.constants.Ints(view.context, view.input(1), &axes);
  if (!status.ok()) return Status::Error("axes: " + status.message());
  for (int& axis : axes) {
    status = ReadAxis(axis, static_cast<int>(shape.size()), &axis);
    if (!status.ok()) return status;
  }
  std::sort(axes.begin(), axes.end());
  axes.erase(std::unique(axes.begin(), axes.end()), axes.end());
  const bool keep_dims = view.params<ReducerParams>().keep_dims;
  if (t->quantized()) {
    const bool was_uint8 = view.tensor(t->inputs[0]).type == kTfLiteUInt8;
    t->op = std::make_unique<Int8Mean>(std::move(axes), keep_dims, was_uint8);
  } else {
    t->op = std::make_unique<Mean>(std::move(axes), keep_dims);
  }
  Shape reduced;
  return t->op->InferShape({shape}, &reduced);
}

}  // namespace

std::vector<Operator> MeanOperators() {
  return {Operator(kTfLiteBuiltinMean, 3, TranslateMean)
              .Holds(Types::kQuantized)
              .Parameters<ReadReducer>(27)};
}

}  // namespace sbnn
