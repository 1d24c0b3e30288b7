#include "delegate/translation/dynamic_layer.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "delegate/engine/ops/int8/dynamic_convolution.h"
#include "delegate/engine/ops/int8/dynamic_depthwise.h"
#include "delegate/engine/ops/int8/dynamic_fully_connected.h"
#include "delegate/kernels/int8/table.h"
#include "delegate/translation/int8_layer.h"

namespace sbnn {

bool HasInt8Weights(const NodeView& view, int input) {
  return view.constants.Has(view.context, view.input(input)) &&
         view.constants.TypeOf(view.context, view.input(input)) == kTfLiteInt8;
}

#if defined(__wasm__)

namespace {

Status Refuse() {
  return Status::Error(
      "weights of int8 between floats (dynamic range), which this build leaves out for its size");
}

}  // namespace

Status TranslateDynamicConvolution(const NodeView&, Translation*) { return Refuse(); }
Status TranslateDynamicDepthwise(const NodeView&, Translation*) { return Refuse(); }
Status TranslateDynamicFullyConnected(const NodeView&, Translation*) { return Refuse(); }

#else

namespace {

// Rows of a matrix from which on they are computed as pixels of an image are.
constexpr size_t kPixelRows = 8;

struct Layer {
  Int8Layer weights;
  DynamicOutputs outputs;
};

// The output channels are the filter's dimension `axis`.
Status ReadLayer(const NodeView& view, size_t axis, size_t rank, FusedActivation activation,
                 Layer* layer) {
  Constant& filter = layer->weights.filter;
  Status status = view.constants.Bytes(view.context, view.input(1), &filter);
  if (!status.ok()) return status;
  if (filter.shape.size() != rank) {
    return Status::Error("a filter without " + std::to_string(rank) + " dimensions");
  }
  const ChannelQuantization& q = filter.quantization;
  status = CheckSymmetric(q, axis);
  if (!status.ok()) return status;
  const int channels = filter.shape[axis];
  status = ReadBias(view, 2, channels, &layer->outputs.bias);
  if (!status.ok()) return status;
  Int8Outputs& outputs = layer->weights.outputs;
  for (int c = 0; c < channels; ++c) outputs.scale.push_back(q.scales[q.scales.size() > 1 ? c : 0]);
  // What the packed "bias" then is: the sums of weights, which become what the zero points add.
  outputs.bias.assign(channels, 0);
  outputs.input_offset = -1;
  return ReadClamp(activation, &layer->outputs.lo, &layer->outputs.hi);
}

Status PackLayer(const NodeView& view, const Int8Cost& cost, Layer* layer, Translation* t,
                 std::shared_ptr<const Int8Weights>* packed) {
  const Int8Layer& weights = layer->weights;
  const std::string isa = int8::KernelsOf(view.kernels.isa)->isa;
  const Status status = view.weights.Get(weights.filter, weights.outputs, cost, isa, packed);
  if (!status.ok()) return status;
  layer->outputs.bias.resize((*packed)->lanes(), 0.0f);
  t->int8_weights = *packed;
  t->heavy = t->dynamic = true;
  return status;
}

Status CheckBias(const NodeView& view) {
  if (view.input(2) >= 0) return Status();
  return Status::Error(
      "weights of int8 between floats, and no bias: TensorFlow Lite's own kernels compute that");
}

}  // namespace

Status TranslateDynamicConvolution(const NodeView& view, Translation* t) {
  const auto& params = view.params<ConvParams>();
  Layer layer;
  Status status = CheckBias(view);
  if (status.ok()) status = ReadLayer(view, 0, 4, params.activation, &layer);
  if (!status.ok()) return status;
  const std::vector<int>& shape = layer.weights.filter.shape;
  const Shape image = view.shape(t->inputs[0]);
  status = SetGroups(image[3], &layer.weights);
  if (!status.ok()) return status;
  const Window window = MakeWindow(params, shape[1], shape[2]);
  status = CheckInt8Window(window, image);
  if (!status.ok()) return status;
  // XNNPACK makes of these a matrix, of which each row has a range of its own.
  const bool is_matrix = shape[1] * shape[2] == 1 && window.stride_h == 1 && window.stride_w == 1 &&
                         layer.weights.outputs.groups == 1 && shape[0] + shape[3] > 2;
  const bool one_vector = shape[1] * shape[2] == 1 && AsImages(image).pixels() == 1 && is_matrix;
  const Int8Cost& cost = int8::KernelsOf(view.kernels.isa)->cost;
  std::shared_ptr<const Int8Weights> packed;
  status = PackLayer(view, one_vector ? BlocksOf(kInt8VectorCost) : cost, &layer, t, &packed);
  if (!status.ok()) return status;
  if (one_vector) {
    t->op =
        std::make_unique<DynamicFullyConnected>(std::move(packed), std::move(layer.outputs), true);
  } else {
    t->op = std::make_unique<DynamicConvolution>(std::move(packed), std::move(layer.outputs),
                                                 window, is_matrix);
  }
  return Status();
}

Status TranslateDynamicFullyConnected(const NodeView& view, Translation* t) {
  const auto& params = view.params<FullyConnectedParams>();
  Layer layer;
  Status status = ReadLayer(view, 0, 2, params.activation, &layer);
  if (!status.ok()) return status;
  const size_t depth = static_cast<size_t>(std::max(1, layer.weights.filter.shape[1]));
  const bool pixels = ElementCount(view.shape(t->inputs[0])) / depth >= kPixelRows;
  const Int8Cost& cost = int8::KernelsOf(view.kernels.isa)->cost;
  std::shared_ptr<const Int8Weights> packed;
  status = PackLayer(view, pixels ? cost : BlocksOf(kInt8VectorCost), &layer, t, &packed);
  if (!status.ok()) return status;
  t->op = std::make_unique<DynamicFullyConnected>(std::move(packed), std::move(layer.outputs),
                                                  params.keep_num_dims);
  return Status();
}

Status TranslateDynamicDepthwise(const NodeView& view, Translation* t) {
  const auto& params = view.params<DepthwiseConvParams>();
  Layer layer;
  Status status = CheckBias(view);
  if (status.ok()) status = ReadLayer(view, 3, 4, params.activation, &layer);
  if (!status.ok()) return status;
  const Constant& filter = layer.weights.filter;
  const int channels = filter.shape[3], inputs = view.shape(t->inputs[0])[3];
  const int taps = filter.shape[1] * filter.shape[2];
  if (filter.shape[0] != 1 || inputs <= 0 || channels % inputs != 0) {
    return Status::Error("a depthwise filter of " + std::to_string(channels) + " channels on " +
                         std::to_string(inputs));
  }
  if (filter.quantization.scales.size() != static_cast<size_t>(channels)) {
    return Status::Error("a depthwise filter of int8 between floats, with one scale for all");
  }
  if (taps > DynamicDepthwise::kMostTaps) {
    return Status::Error("a depthwise filter of int8 between floats, of " + std::to_string(taps) +
                         " taps");
  }
  const Window window = MakeWindow(params, filter.shape[1], filter.shape[2]);
  status = CheckWindow(window);
  if (!status.ok()) return status;
  auto weights = std::make_shared<DepthwiseWeights>();
  weights->channels = channels;
  weights->multiplier = channels / inputs;
  weights->taps.assign(static_cast<size_t>(channels) * taps, 0.0f);
  weights->bias.assign(channels, 0.0f);
  ForEachStored(filter, [&](const int* at, float value) {
    weights->taps[static_cast<size_t>(at[3]) * taps + at[1] * filter.shape[2] + at[2]] = value;
  });
  t->heavy = t->dynamic = true;
  t->op = std::make_unique<DynamicDepthwise>(
      std::move(weights), std::move(layer.weights.outputs.scale), std::move(layer.outputs.bias),
      window, layer.outputs.lo, layer.outputs.hi);
  return Status();
}

#endif

}  // namespace sbnn
