// What TensorFlow Lite's tensors hold, in the engine's words.
#ifndef SBNN_DELEGATE_TRANSLATION_TYPES_H_
#define SBNN_DELEGATE_TRANSLATION_TYPES_H_

#include "delegate/format/quantization.h"
#include "delegate/format/status.h"
#include "tensorflow/lite/c/common.h"

namespace sbnn {

// False of a type that the engine has no word for.
bool ElementTypeOf(TfLiteType type, ElementType* found);

// The scales of a constant; none, and no failure, where it has none. Their number is not checked.
Status ReadQuantization(const TfLiteTensor& tensor, ChannelQuantization* quantization);

// Of a tensor that changes from run to run: floats, or int8 or uint8 with one scale for all.
Status ReadType(const TfLiteTensor& tensor, TensorType* type);

}  // namespace sbnn

#endif  // SBNN_DELEGATE_TRANSLATION_TYPES_H_
