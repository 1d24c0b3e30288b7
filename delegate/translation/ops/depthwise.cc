#include "delegate/engine/ops/depthwise.h"

#include "delegate/translation/dynamic_layer.h"
#include "delegate/translation/int8_layer.h"
#include "delegate/translation/operators.h"
#include "delegate/translation/translate.h"
#include "tensorflow/lite/builtin_ops.h"

namespace sbnn {
namespace {

DepthwiseConvParams ReadDepthwise(const FlatTable& t) {
  return {ReadPaddingKind(t, 0), t.Get<int32_t>(1),    t.Get<int32_t>(2),   t.Get<int32_t>(3),
          ReadActivation(t, 4),  t.Get<int32_t>(5, 1), t.Get<int32_t>(6, 1)};
}

Status TranslateDepthwise(const NodeView& view, Translation* t) {
  if (view.input_count() < 2) return Status::Error("expected an input and a filter");
  Status status = CheckRank(view, t->inputs[0], 4);
  if (!status.ok()) return status;
  if (t->quantized()) return TranslateInt8Depthwise(view, t);
  if (HasInt8Weights(view, 1)) return TranslateDynamicDepthwise(view, t);
  Constant filter;
  status = view.constants.Floats(view.context, view.input(1), &filter);
  if (!status.ok()) return status;
  if (filter.shape.size() != 4 || filter.shape[0] != 1) {
    return Status::Error("a depthwise filter that is not [1, height, width, channels]");
  }
  const int channels = filter.shape[3];
  const int inputs = view.shape(t->inputs[0])[3];
  if (inputs <= 0 || channels % inputs != 0) {
    return Status::Error("a depthwise filter of " + std::to_string(channels) + " channels on " +
                         std::to_string(inputs));
  }
  const auto& params = view.params<DepthwiseConvParams>();
  float lo, hi;
  status = ReadClamp(params.activation, &lo, &hi);
  if (!status.ok()) return status;
  auto weights = std::make_shared<DepthwiseWeights>();
  status = ReadBias(view, 2, channels, &weights->bias);
  if (!status.ok()) return status;

  const Window window = MakeWindow(params, filter.shape[1], filter.shape[2]);
  status = CheckWindow(window);
  if (!status.ok()) return status;

  t->heavy = true;
  weights->channels = channels;
  weights->multiplier = channels / inputs;
  const int taps = filter.shape[1] * filter.shape[2];
  weights->taps.assign(static_cast<size_t>(channels) * taps, 0.0f);
  ForEachStored(filter, [&](const int* at, float value) {
    weights->taps[static_cast<size_t>(at[3]) * taps + at[1] * filter.shape[2] + at[2]] = value;
  });
  t->op = std::make_unique<Depthwise>(std::move(weights), window, lo, hi);
  return Status();
}

}  // namespace

std::vector<Operator> DepthwiseOperators() {
  return {Operator(kTfLiteBuiltinDepthwiseConv2d, 7, TranslateDepthwise)
              .Holds(Types::kQuantized)
              .Parameters<ReadDepthwise>(2)
              .Costs(Work::kDepthwise)};
}

}  // namespace sbnn
