#include "delegate/engine/ops/fully_connected.h"

#include <algorithm>

#include "delegate/translation/dynamic_layer.h"
#include "delegate/translation/int8_layer.h"
#include "delegate/translation/operators.h"
#include "delegate/translation/translate.h"
#include "tensorflow/lite/builtin_ops.h"

namespace sbnn {
namespace {

FullyConnectedParams ReadFullyConnected(const FlatTable& t) {
  return {ReadActivation(t, 0), t.Get<int8_t>(1), ReadFlag(t, 2)};
}

Status TranslateFullyConnected(const NodeView& view, Translation* t) {
  if (view.input_count() < 2) return Status::Error("expected an input and weights");
  const auto& params = view.params<FullyConnectedParams>();
  if (params.weights_format != 0) return Status::Error("shuffled weights are not supported");
  if (t->quantized()) return TranslateInt8FullyConnected(view, t);
  if (HasInt8Weights(view, 1)) return TranslateDynamicFullyConnected(view, t);
  Constant weights;
  Status status = view.constants.Floats(view.context, view.input(1), &weights);
  if (!status.ok()) return status;
  if (weights.shape.size() != 2) return Status::Error("weights without 2 dimensions");
  if (weights.shape[1] > 65536) return Status::Error("more than 65536 inputs");
  float lo, hi;
  status = ReadClamp(params.activation, &lo, &hi);
  if (!status.ok()) return status;
  std::vector<float> bias;
  status = ReadBias(view, 2, weights.shape[0], &bias);
  if (!status.ok()) return status;

  t->heavy = true;
  std::shared_ptr<const PackedWeights> packed;
  const size_t rows = ElementCount(view.shape(t->inputs[0])) / std::max(1, weights.shape[1]);
  const bool pixels = rows >= FullyConnected::kLeastRows;
  status =
      PackWeights(view, weights, bias, pixels ? view.kernels.column_cost : kOneVectorCost, &packed);
  if (!status.ok()) return status;
  t->op = std::make_unique<FullyConnected>(std::move(packed), params.keep_num_dims, lo, hi);
  return Status();
}

}  // namespace

std::vector<Operator> FullyConnectedOperators() {
  return {Operator(kTfLiteBuiltinFullyConnected, 14, TranslateFullyConnected)
              .Holds(Types::kQuantized)
              .Parameters<ReadFullyConnected>(8)
              .Costs(Work::kMatrix)};
}

}  // namespace sbnn
