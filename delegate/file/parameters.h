// The parameters of operators: from a file to the structs of TensorFlow Lite's C API.
#ifndef SBNN_DELEGATE_FILE_PARAMETERS_H_
#define SBNN_DELEGATE_FILE_PARAMETERS_H_

#include <memory>

#include "delegate/file/flatbuffer.h"

namespace sbnn {

// Of a builtin operator: a struct of builtin_params.h, all zero where the file has none for it, as
// TensorFlow Lite has it; null where the operator has none, or the delegate does not know it.
// (`type` is that of the union's member, `options` the member.)
std::shared_ptr<void> ReadParameters(int builtin_code, uint8_t type, const Table& options);

}  // namespace sbnn

#endif  // SBNN_DELEGATE_FILE_PARAMETERS_H_
