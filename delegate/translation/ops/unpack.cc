#include "delegate/translation/operators.h"
#include "tensorflow/lite/builtin_ops.h"

namespace sbnn {

std::vector<Operator> UnpackOperators() { return {Operator(kTfLiteBuiltinDensify, 1, nullptr)}; }

}  // namespace sbnn
