#include "delegate/engine/ops/int8/depthwise.h"
#include "delegate/translation/int8_layer.h"

namespace sbnn {

Status TranslateInt8Depthwise(const NodeView& view, Translation* t) {
  const auto& params = view.params<DepthwiseConvParams>();
  Int8Layer layer;
  Status status = ReadInt8Layer(view, *t, 1, 2, 3, params.activation, &layer);
  if (!status.ok()) return status;
  const Constant& filter = layer.filter;
  if (filter.shape.size() != 4 || filter.shape[0] != 1) {
    return Status::Error("a depthwise filter that is not [1, height, width, channels]");
  }
  const int channels = filter.shape[3], inputs = view.shape(t->inputs[0])[3];
  if (channels != inputs) {
    return Status::Error("a depthwise filter of " + std::to_string(channels) + " channels on " +
                         std::to_string(inputs) + " in int8; expected as many");
  }
  const Window window = MakeWindow(params, filter.shape[1], filter.shape[2]);
  status = CheckWindow(window);
  if (!status.ok()) return status;
  t->heavy = true;
  Int8DepthwiseWeights weights;
  weights.channels = channels;
  weights.taps.assign(static_cast<size_t>(filter.shape[1]) * filter.shape[2] * channels, 0);
  ForEachStored(filter, [&](const int* at, float value) {
    const size_t tap = static_cast<size_t>(at[1]) * filter.shape[2] + at[2];
    weights.taps[tap * channels + at[3]] = static_cast<int8_t>(value);
  });
  weights.bias = layer.outputs.bias;
  weights.scale = layer.outputs.scale;
  t->op = std::make_unique<Int8Depthwise>(std::move(weights), window, layer.limits);
  return Status();
}

}  // namespace sbnn
