#include "delegate/engine/ops/int8/depthwise.h"

#include <utility>

#include "delegate/translation/int8_layer.h"

namespace sbnn {
namespace {

// Several outputs of each channel: a convolution whose groups have an input each.
void Grouped(int inputs, Int8Layer* layer) {
  const std::vector<int> shape = layer->filter.shape;
  const int taps = shape[1] * shape[2], outputs = shape[3];
  std::vector<int8_t> values(static_cast<size_t>(taps) * outputs, 0);
  ForEachStored(layer->filter, [&](const int* at, float value) {
    values[static_cast<size_t>(at[3]) * taps + at[1] * shape[2] + at[2]] =
        static_cast<int8_t>(value);
  });
  layer->values = std::move(values);
  Constant filter;
  filter.shape = {outputs, shape[1], shape[2], 1};
  filter.type = ElementType::kInt8;
  filter.values = layer->values.data();
  filter.value_count = layer->values.size();
  layer->filter = std::move(filter);
  layer->outputs.groups = inputs;
}

}  // namespace

Status TranslateInt8Depthwise(const NodeView& view, Translation* t) {
  if (view.tensor(t->output).type == kTfLiteUInt8) {
    return Status::Error(
        "a depthwise convolution of uint8, which TensorFlow Lite's own kernel rounds otherwise");
  }
  const auto& params = view.params<DepthwiseConvParams>();
  Int8Layer layer;
  Status status = ReadInt8Layer(view, *t, 1, 2, 3, params.activation, &layer);
  if (!status.ok()) return status;
  const Constant& filter = layer.filter;
  if (filter.shape.size() != 4 || filter.shape[0] != 1) {
    return Status::Error("a depthwise filter that is not [1, height, width, channels]");
  }
  const int channels = filter.shape[3], inputs = view.shape(t->inputs[0])[3];
  if (inputs <= 0 || channels % inputs != 0) {
    return Status::Error("a depthwise filter of " + std::to_string(channels) + " channels on " +
                         std::to_string(inputs));
  }
  const Window window = MakeWindow(params, filter.shape[1], filter.shape[2]);
  status = CheckInt8Window(window, view.shape(t->inputs[0]));
  if (!status.ok()) return status;
  if (channels != inputs) {
    Grouped(inputs, &layer);
    return MakeInt8Convolution(view, layer, window, t);
  }
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
