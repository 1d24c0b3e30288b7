// The TensorFlow Lite delegate.
#ifndef SBNN_DELEGATE_TFLITE_DELEGATE_H_
#define SBNN_DELEGATE_TFLITE_DELEGATE_H_

#include "delegate/translation/options.h"
#include "tensorflow/lite/c/common.h"

namespace sbnn {

TfLiteDelegate* NewDelegate(const Options& options);
void DeleteDelegate(TfLiteDelegate* delegate);

}  // namespace sbnn

#endif  // SBNN_DELEGATE_TFLITE_DELEGATE_H_
