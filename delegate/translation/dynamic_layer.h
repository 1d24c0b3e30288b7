// Layers of int8 weights between floats ("dynamic range"): TensorFlow Lite rounds their inputs to
// int8 as it runs, and so does the delegate.
#ifndef SBNN_DELEGATE_TRANSLATION_DYNAMIC_LAYER_H_
#define SBNN_DELEGATE_TRANSLATION_DYNAMIC_LAYER_H_

#include "delegate/format/status.h"
#include "delegate/translation/translate.h"

namespace sbnn {

// Whether a node's constant input is of int8.
bool HasInt8Weights(const NodeView& view, int input);

// Of nodes that have, between floats.
Status TranslateDynamicConvolution(const NodeView& view, Translation* t);
Status TranslateDynamicDepthwise(const NodeView& view, Translation* t);
Status TranslateDynamicFullyConnected(const NodeView& view, Translation* t);

}  // namespace sbnn

#endif  // SBNN_DELEGATE_TRANSLATION_DYNAMIC_LAYER_H_
