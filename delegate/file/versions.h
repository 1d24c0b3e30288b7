// The versions of operators. TensorFlow Lite refuses those that it does not know before a delegate
// sees a node; a file that is read without it needs the same.
#ifndef SBNN_DELEGATE_FILE_VERSIONS_H_
#define SBNN_DELEGATE_FILE_VERSIONS_H_

#include "delegate/format/status.h"

namespace sbnn {

// Fails where a builtin operator has a version of which nobody here knows what it means. (Operators
// that are not translated have none to fail by.)
Status CheckVersion(int builtin_code, int version);

}  // namespace sbnn

#endif  // SBNN_DELEGATE_FILE_VERSIONS_H_
