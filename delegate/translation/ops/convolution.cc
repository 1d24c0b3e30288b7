#include "delegate/engine/ops/convolution.h"

#include <numeric>

#include "delegate/translation/dynamic_layer.h"
#include "delegate/translation/int8_layer.h"
#include "delegate/translation/operators.h"
#include "delegate/translation/translate.h"
#include "tensorflow/lite/builtin_ops.h"

namespace sbnn {
namespace {

ConvParams ReadConv(const FlatTable& t) {
  return {ReadPaddingKind(t, 0), t.Get<int32_t>(1),    t.Get<int32_t>(2),
          ReadActivation(t, 3),  t.Get<int32_t>(4, 1), t.Get<int32_t>(5, 1)};
}

Status TranslateConvolution(const NodeView& view, Translation* t) {
  if (view.input_count() < 2) return Status::Error("expected an input and a filter");
  Status status = CheckRank(view, t->inputs[0], 4);
  if (!status.ok()) return status;
  if (t->quantized()) return TranslateInt8Convolution(view, t);
  if (HasInt8Weights(view, 1)) return TranslateDynamicConvolution(view, t);
  Constant filter;
  status = ReadFilter(view, 1, &filter);
  if (!status.ok()) return status;
  const int outputs = filter.shape[0], inputs = filter.shape[3];
  const int channels = view.shape(t->inputs[0])[3];
  const int groups = inputs > 0 ? channels / inputs : 0;
  if (groups < 1 || groups * inputs != channels || outputs % groups != 0) {
    return Status::Error("a filter of " + std::to_string(outputs) + " outputs and " +
                         std::to_string(inputs) + " inputs for " + std::to_string(channels) +
                         " channels");
  }
  const auto& params = view.params<ConvParams>();
  float lo, hi;
  status = ReadClamp(params.activation, &lo, &hi);
  if (!status.ok()) return status;
  std::vector<float> bias;
  status = ReadBias(view, 2, outputs, &bias);
  if (!status.ok()) return status;

  const Window window = MakeWindow(params, filter.shape[1], filter.shape[2]);
  status = CheckWindow(window);
  if (!status.ok()) return status;

  t->heavy = true;
  std::shared_ptr<const PackedWeights> packed;
  const bool one_vector = groups == 1 && filter.shape[1] * filter.shape[2] == 1 &&
                          AsImages(view.shape(t->inputs[0])).pixels() == 1;
  const ColumnCost& cost = view.kernels.column_cost;
  status = PackWeights(view, filter, bias,
                       one_vector    ? kOneVectorCost
                       : groups == 1 ? cost
                                     : Structured(cost),
                       &packed);
  if (!status.ok()) return status;
  // Packed groups must not reach over those of a grouped convolution.
  const int group = groups == 1 ? packed->group : std::gcd(packed->group, outputs / groups);
  if (group != packed->group) {
    packed = std::make_shared<const PackedWeights>(Regroup(*packed, group));
  }
  t->op = std::make_unique<Convolution>(std::move(packed), window, lo, hi, groups);
  return Status();
}

}  // namespace

std::vector<Operator> ConvolutionOperators() {
  return {Operator(kTfLiteBuiltinConv2d, 8, TranslateConvolution)
              .Holds(Types::kQuantized)
              .Parameters<ReadConv>(1)
              .Costs(Work::kConvolution)};
}

}  // namespace sbnn
