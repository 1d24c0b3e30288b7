// What the delegate tells a user who asked for it.
#ifndef SBNN_DELEGATE_TFLITE_EXPLAIN_H_
#define SBNN_DELEGATE_TFLITE_EXPLAIN_H_

#include <string>

namespace sbnn {

// Writes to the target of the option `explain`.
void Explain(const std::string& target, const std::string& text);

}  // namespace sbnn

#endif  // SBNN_DELEGATE_TFLITE_EXPLAIN_H_
