// A delegate from what a user says, whichever way that comes in.
#ifndef SBNN_DELEGATE_TFLITE_CREATE_H_
#define SBNN_DELEGATE_TFLITE_CREATE_H_

#include <cstddef>

#include "delegate/format/status.h"
#include "delegate/report/reporter.h"
#include "tensorflow/lite/c/common.h"

namespace sbnn {

// The options are pairs of strings, as ParseOptions reads them; `receiver`, which may be empty,
// gets records too. Fails where an option is wrong or something throws; DeleteDelegate takes the
// delegate.
Status CreateDelegate(const char* const* keys, const char* const* values, size_t count,
                      const Reporter::Receiver& receiver, TfLiteDelegate** delegate);

}  // namespace sbnn

#endif  // SBNN_DELEGATE_TFLITE_CREATE_H_
