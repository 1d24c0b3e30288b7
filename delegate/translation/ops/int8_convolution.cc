#include "delegate/engine/ops/int8/convolution.h"
#include "delegate/engine/ops/int8/fully_connected.h"
#include "delegate/engine/ops/int8/gathered_convolution.h"
#include "delegate/kernels/int8/table.h"
#include "delegate/translation/int8_layer.h"

namespace sbnn {
namespace {

// Of so few channels, the bytes of a window are gathered from the outside's layout.
constexpr int kGatheredChannels = 4;
constexpr int kGatheredBytes = 256;  // of a window

// The filter as a matrix whose inputs are the bytes of a window in the order of GatherOrder.
std::vector<int8_t> Reordered(const Constant& filter) {
  const int inputs = filter.shape[1] * filter.shape[2] * filter.shape[3];
  const std::vector<int> order = GatherOrder(filter.shape[1], filter.shape[2], filter.shape[3]);
  std::vector<size_t> place(inputs);
  for (int i = 0; i < inputs; ++i) place[order[i]] = static_cast<size_t>(i);
  std::vector<int8_t> values(static_cast<size_t>(filter.shape[0]) * inputs, 0);
  ForEachStored(filter, [&](const int* at, float value) {
    const int tap = at[1] * filter.shape[2] + at[2];
    values[at[0] * static_cast<size_t>(inputs) + place[tap * filter.shape[3] + at[3]]] =
        static_cast<int8_t>(value);
  });
  return values;
}

}  // namespace

Status TranslateInt8Convolution(const NodeView& view, Translation* t) {
  const auto& params = view.params<ConvParams>();
  Int8Layer layer;
  Status status = ReadInt8Layer(view, *t, 1, 2, 0, params.activation, &layer);
  if (!status.ok()) return status;
  const Constant& filter = layer.filter;
  if (filter.shape.size() != 4) return Status::Error("a filter without 4 dimensions");
  const Shape image = view.shape(t->inputs[0]);
  status = SetGroups(image[3], &layer);
  if (!status.ok()) return status;
  const Window window = MakeWindow(params, filter.shape[1], filter.shape[2]);
  status = CheckInt8Window(window, image);
  if (!status.ok()) return status;
  return MakeInt8Convolution(view, layer, window, t);
}

Status MakeInt8Convolution(const NodeView& view, const Int8Layer& layer, const Window& window,
                           Translation* t) {
  const Constant& filter = layer.filter;
  const Shape image = view.shape(t->inputs[0]);
  t->heavy = true;
  const Int8Cost& cost = int8::KernelsOf(view.kernels.isa)->cost;
  std::shared_ptr<const Int8Weights> packed;
  Status status;

  const int taps = filter.shape[1] * filter.shape[2];
  if (filter.shape[3] <= kGatheredChannels && layer.outputs.groups == 1 && taps > 1 &&
      taps * filter.shape[3] <= kGatheredBytes) {
    const std::vector<int8_t> values = Reordered(filter);
    Constant matrix;
    matrix.shape = {filter.shape[0], taps * filter.shape[3]};
    matrix.type = ElementType::kInt8;
    matrix.values = values.data();
    matrix.value_count = values.size();
    status = PackInt8Weights(view, layer, matrix, BlocksOf(cost), t, &packed);
    if (!status.ok()) return status;
    t->op = std::make_unique<Int8GatheredConvolution>(std::move(packed), filter.shape[3], window,
                                                      layer.limits);
    return Status();
  }
  // One pixel is a row of a matrix.
  if (taps == 1 && window.stride_h == 1 && window.stride_w == 1 && AsImages(image).pixels() == 1) {
    status = PackInt8Weights(view, layer, filter, kInt8VectorCost, t, &packed);
    if (!status.ok()) return status;
    t->op = std::make_unique<Int8FullyConnected>(std::move(packed), true, layer.limits);
    return Status();
  }
  status = PackInt8Weights(view, layer, filter, cost, t, &packed);
  if (!status.ok()) return status;
  t->op = std::make_unique<Int8Convolution>(std::move(packed), window, layer.limits);
  return Status();
}

}  // namespace sbnn
