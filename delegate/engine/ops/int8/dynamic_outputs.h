// What sums of int8 become in layers between floats ("dynamic range").
#ifndef SBNN_DELEGATE_ENGINE_OPS_INT8_DYNAMIC_OUTPUTS_H_
#define SBNN_DELEGATE_ENGINE_OPS_INT8_DYNAMIC_OUTPUTS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "delegate/kernels/int8/kernels.h"

namespace sbnn {

// What a layer has besides its weights, whose `bias` are the sums of each output's and whose
// `scale` is from a weight to its float.
struct DynamicOutputs {
  std::vector<float> bias;  // [lanes]
  float lo, hi;

  int8::FloatOutput To(float* y, size_t y_stride, const int32_t* zero_points,
                       const float* scales) const {
    return {y, y_stride, zero_points, scales, bias.data(), lo, hi};
  }
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_OPS_INT8_DYNAMIC_OUTPUTS_H_
