// Names of TensorFlow Lite's operators.
#ifndef SBNN_DELEGATE_TRANSLATION_OP_NAMES_H_
#define SBNN_DELEGATE_TRANSLATION_OP_NAMES_H_

#include <string>

#include "tensorflow/lite/c/common.h"

namespace sbnn {

// The name in TensorFlow Lite's schema, such as "CONV_2D"; of a custom operator, or of another
// delegate's part, its own; of one that is newer than this list its number.
std::string OpName(const TfLiteRegistration& registration);

}  // namespace sbnn

#endif  // SBNN_DELEGATE_TRANSLATION_OP_NAMES_H_
