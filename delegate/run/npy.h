// Arrays of float32 in NumPy's file format.
#ifndef SBNN_DELEGATE_RUN_NPY_H_
#define SBNN_DELEGATE_RUN_NPY_H_

#include <string>
#include <vector>

#include "delegate/format/status.h"

namespace sbnn {

struct FloatArray {
  std::vector<int> shape;
  std::vector<float> values;  // row-major
};

// Versions 1 to 3 of the format, little-endian float32, C order.
Status ReadNpy(const std::string& path, FloatArray* array);
// Version 1. Whole or not at all.
Status WriteNpy(const std::string& path, const FloatArray& array);

}  // namespace sbnn

#endif  // SBNN_DELEGATE_RUN_NPY_H_
