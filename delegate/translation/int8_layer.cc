#include "delegate/translation/int8_layer.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "delegate/engine/stock_rounding.h"
#include "delegate/kernels/int8/table.h"
#include "delegate/translation/types.h"

namespace sbnn {
namespace {

// What XNNPACK's operators take as input scale * weight scale / output scale.
constexpr float kScaleEnd = 256.0f;

// The kernels convert scaled sums to int32. A sum has at most this magnitude for each of its
// inputs.
constexpr double kLargestProduct = 255.0 * 128.0;
constexpr double kScaledSumEnd = 2147483648.0;

// uint8 weights with one zero point, as int8: dense ones only, which models of before 2019 have.
Status MakeInt8(Int8Layer* layer) {
  Constant& filter = layer->filter;
  ChannelQuantization& q = filter.quantization;
  if (filter.sparse()) return Status::Error("sparse weights of uint8");
  if (q.zero_points.size() != 1) return Status::Error("weights of uint8 with several zero points");
  const auto* const bytes = static_cast<const uint8_t*>(filter.values);
  layer->values.resize(filter.value_count);
  for (size_t i = 0; i < filter.value_count; ++i) {
    const int value = bytes[i] - q.zero_points[0];
    if (value < -128 || value > 127) {
      return Status::Error("weights of uint8 that are more than 8 bits around their zero point, " +
                           std::to_string(q.zero_points[0]));
    }
    layer->values[i] = static_cast<int8_t>(value);
  }
  filter.values = layer->values.data();
  filter.type = ElementType::kInt8;
  q.zero_points = {0};
  return Status();
}

Status ReadInt8Bias(const NodeView& view, int input, int channels, std::vector<int32_t>* bias) {
  bias->assign(channels, 0);
  if (view.input(input) < 0) return Status();
  const Status status = view.constants.Ints(view.context, view.input(input), bias);
  if (!status.ok()) return Status::Error("bias: " + status.message());
  if (static_cast<int>(bias->size()) != channels) {
    return Status::Error("a bias of " + std::to_string(bias->size()) + " values for " +
                         std::to_string(channels) + " channels");
  }
  return Status();
}

}  // namespace

Status ReadInt8Layer(const NodeView& view, const Translation& t, int filter, int bias, size_t axis,
                     FusedActivation activation, Int8Layer* layer) {
  Status status = view.constants.Bytes(view.context, view.input(filter), &layer->filter);
  if (!status.ok()) return status;
  const ElementType of_weights = layer->filter.type;
  ElementType of_input, of_output;
  if (!ElementTypeOf(view.tensor(t.inputs[0]).type, &of_input) ||
      !ElementTypeOf(view.tensor(t.output).type, &of_output) || of_input != of_weights ||
      of_output != of_weights) {
    return Status::Error(std::string("weights of ") + NameOf(of_weights) +
                         " between tensors that are not all of that");
  }
  if (of_weights == ElementType::kUint8 && kStockHasFixedPoint) {
    return Status::Error("a layer of uint8, which TensorFlow Lite rounds in fixed point on ARM");
  }
  if (of_weights == ElementType::kUint8) status = MakeInt8(layer);
  if (!status.ok()) return status;
  const std::vector<int>& shape = layer->filter.shape;
  const ChannelQuantization& q = layer->filter.quantization;
  if (axis >= shape.size()) return Status::Error("weights of too few dimensions");
  status = CheckSymmetric(q, axis);
  if (!status.ok()) return status;
  const int channels = shape[axis];
  status = ReadInt8Bias(view, bias, channels, &layer->outputs.bias);
  if (!status.ok()) return status;
  const Quantization input = t.quantization(t.inputs[0]);
  const Quantization output = t.quantization(t.output);
  const double depth = static_cast<double>(ElementCount(shape)) / std::max(channels, 1);
  for (int c = 0; c < channels; ++c) {
    const float weight_scale = q.scales[q.scales.size() > 1 ? c : 0];
    const float scale = input.scale * weight_scale / output.scale;
    if (!(scale < kScaleEnd)) {
      return Status::Error("scales that multiply sums by " + std::to_string(scale) +
                           "; expected less than 256");
    }
    const double largest =
        std::min(depth * kLargestProduct + std::abs(static_cast<double>(layer->outputs.bias[c])),
                 kScaledSumEnd);
    if (scale >= 1.0f && largest * scale >= kScaledSumEnd) {
      return Status::Error("scales that make of sums more than 2^31 steps of the output");
    }
    layer->outputs.scale.push_back(scale);
  }
  layer->outputs.input_offset = input.zero_point;
  float lo, hi;
  status = ReadClamp(activation, &lo, &hi);
  if (status.ok()) layer->limits = Quantize(lo, hi, output);
  return status;
}

Status CheckSymmetric(const ChannelQuantization& q, size_t axis) {
  if (!q.quantized()) return Status::Error("weights without scales");
  if (q.scales.size() > 1 && q.axis != static_cast<int>(axis)) {
    return Status::Error("scales along dimension " + std::to_string(q.axis) +
                         " of the weights; expected " + std::to_string(axis));
  }
  for (int32_t zero_point : q.zero_points) {
    if (zero_point != 0) {
      return Status::Error("weights with a zero point of " + std::to_string(zero_point));
    }
  }
  return Status();
}

Status CheckInt8Window(const Window& w, const Shape& image) {
  const Status status = CheckWindow(w);
  if (!status.ok() || !w.same || w.kernel_h * w.kernel_w == 1) return status;
  const auto left_out = [](int size, int kernel, int stride, int dilation) {
    const int64_t outputs = (int64_t{size} + stride - 1) / stride;
    return (outputs - 1) * stride + int64_t{kernel - 1} * dilation + 1 < size;
  };
  if (left_out(image[1], w.kernel_h, w.stride_h, w.dilation_h) ||
      left_out(image[2], w.kernel_w, w.stride_w, w.dilation_w)) {
    return Status::Error("windows with SAME padding that end before the image, in int8");
  }
  return Status();
}

Status SetGroups(int channels, Int8Layer* layer) {
  const int outputs = layer->filter.shape.front(), inputs = layer->filter.shape.back();
  const int groups = inputs > 0 ? channels / inputs : 0;
  if (groups < 1 || groups * inputs != channels || outputs % groups != 0) {
    return Status::Error("a filter of " + std::to_string(outputs) + " outputs and " +
                         std::to_string(inputs) + " inputs for " + std::to_string(channels) +
                         " channels");
  }
  layer->outputs.groups = groups;
  return Status();
}

Int8Cost BlocksOf(const Int8Cost& cost) {
  Int8Cost blocks = cost;
  std::fill(blocks.columns, blocks.columns + kInt8GroupKinds, 0.0f);
  return blocks;
}

Status PackInt8Weights(const NodeView& view, const Int8Layer& layer, const Constant& filter,
                       const Int8Cost& cost, Translation* t,
                       std::shared_ptr<const Int8Weights>* packed) {
  const int8::Kernels& kernels = *int8::KernelsOf(view.kernels.isa);
  Int8Outputs outputs = layer.outputs;
  outputs.input_offset += kernels.input_offset;
  const Status status = view.weights.Get(filter, outputs, cost, kernels.isa, packed);
  t->int8_weights = *packed;
  return status;
}

}  // namespace sbnn
