#include "delegate/engine/ops/batch_matmul.h"

#include <utility>
#include <vector>

#include "delegate/translation/operators.h"
#include "delegate/translation/translate.h"
#include "tensorflow/lite/builtin_ops.h"

namespace sbnn {
namespace {

struct BatchMatMulParams {
  bool transpose_a, transpose_b;
  bool asymmetric_quantize_inputs;  // of floats and constants of int8
};
BatchMatMulParams ReadBatchMatMul(const FlatTable& t) {
  return {t.Get<bool>(0), t.Get<bool>(1), t.Get<bool>(2)};
}

Status TranslateBatchMatMul(const NodeView& view, Translation* t) {
  if (view.input_count() != 2) return Status::Error("expected 2 inputs");
  const BatchMatMulParams& params = view.params<BatchMatMulParams>();
  std::vector<Shape> shapes;
  for (int tensor : t->inputs) shapes.push_back(view.shape(tensor));
  if (t->inputs.size() == 2) {
    t->op = std::make_unique<BatchMatMul>(params.transpose_a, params.transpose_b);
  } else {
    const bool constant_first = t->inputs[0] != view.input(0);
    const int constant = view.input(constant_first ? 0 : 1);
    std::vector<float> values;
    const Status status = view.constants.DenseFloats(view.context, constant, &values);
    if (!status.ok()) return status;
    t->op = std::make_unique<BatchMatMul>(params.transpose_a, params.transpose_b, std::move(values),
                                          view.constants.ShapeOf(view.context, constant),
                                          constant_first);
  }
  Shape shape;
  const Status status = t->op->InferShape(shapes, &shape);
  const Shape a = view.constants.Has(view.context, view.input(0))
                      ? view.constants.ShapeOf(view.context, view.input(0))
                      : view.shape(view.input(0));
  if (status.ok()) t->window = a[a.size() - (params.transpose_a ? 2 : 1)];
  return status;
}

}  // namespace

std::vector<Operator> BatchMatmulOperators() {
  return {Operator(kTfLiteBuiltinBatchMatmul, 4, TranslateBatchMatMul)
              .Parameters<ReadBatchMatMul>(101)
              .Inputs(2)
              .Costs(Work::kProduct)};
}

}  // namespace sbnn
