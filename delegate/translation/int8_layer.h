// What layers of int8 with weights have in common.
#ifndef SBNN_DELEGATE_TRANSLATION_INT8_LAYER_H_
#define SBNN_DELEGATE_TRANSLATION_INT8_LAYER_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "delegate/engine/window.h"
#include "delegate/format/int8_weights.h"
#include "delegate/format/quantization.h"
#include "delegate/format/status.h"
#include "delegate/translation/translate.h"

namespace sbnn {

// The weights of a layer and what they become outputs with. `outputs.input_offset` is the input's
// zero point only.
struct Int8Layer {
  Constant filter;  // of int8; views the file, or `values`
  std::vector<int8_t> values;
  Int8Outputs outputs;
  QuantizedLimits limits;
};

// Inputs `filter` and `bias` of a node, whose output channels are the filter's dimension `axis`.
// Fails where types do not fit together, weights are not symmetric, or a scale is beyond what
// XNNPACK takes: its arithmetic is the one that kernels know.
Status ReadInt8Layer(const NodeView& view, const Translation& t, int filter, int bias, size_t axis,
                     FusedActivation activation, Int8Layer* layer);

// Fails unless weights have one scale, or one for each of dimension `axis`, and no zero points.
Status CheckSymmetric(const ChannelQuantization& weights, size_t axis);

// CheckWindow; and fails where windows of SAME padding end before the image does, so that XNNPACK
// pads by less than nothing, and computes something else than TensorFlow Lite's own kernels.
Status CheckInt8Window(const Window& window, const Shape& image);

// Sets `outputs.groups`: those of the image's channels that a filter [outputs, ..., inputs] makes.
Status SetGroups(int channels, Int8Layer* layer);

// `cost` is that of the kernels, or kInt8VectorCost. `filter` is the layer's, or made of it.
Status PackInt8Weights(const NodeView& view, const Int8Layer& layer, const Constant& filter,
                       const Int8Cost& cost, Translation* t,
                       std::shared_ptr<const Int8Weights>* packed);

// The costs of blocks alone: their kernels read quads.
Int8Cost BlocksOf(const Int8Cost& cost);

// The translators of int8; MakeInt8Convolution is for a layer in which all is checked.
Status TranslateInt8Convolution(const NodeView& view, Translation* t);
Status MakeInt8Convolution(const NodeView& view, const Int8Layer& layer, const Window& window,
                           Translation* t);
Status TranslateInt8Depthwise(const NodeView& view, Translation* t);
Status TranslateInt8FullyConnected(const NodeView& view, Translation* t);
Status TranslateInt8TransposeConvolution(const NodeView& view, const Shape& output, Translation* t);

}  // namespace sbnn

#endif  // SBNN_DELEGATE_TRANSLATION_INT8_LAYER_H_
