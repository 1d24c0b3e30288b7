// Arrays in NumPy's file format.
#ifndef SBNN_DELEGATE_RUN_NPY_H_
#define SBNN_DELEGATE_RUN_NPY_H_

#include <string>
#include <vector>

#include "delegate/format/element_type.h"
#include "delegate/format/status.h"

namespace sbnn {

struct Array {
  ElementType type = ElementType::kFloat32;
  std::vector<int> shape;
  std::vector<char> bytes;  // of the elements, row-major

  void* data() { return bytes.data(); }
};

// Versions 1 to 3 of the format, little-endian float32, int8 or uint8, C order.
Status ReadNpy(const std::string& path, Array* array);
// Version 1. Whole or not at all.
Status WriteNpy(const std::string& path, const Array& array);

}  // namespace sbnn

#endif  // SBNN_DELEGATE_RUN_NPY_H_
