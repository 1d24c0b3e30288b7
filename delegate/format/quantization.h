// What stored whole numbers stand for: scale * (number - zero_point), as TensorFlow Lite's
// quantization specification has it.
#ifndef SBNN_DELEGATE_FORMAT_QUANTIZATION_H_
#define SBNN_DELEGATE_FORMAT_QUANTIZATION_H_

#include <cstdint>
#include <vector>

#include "delegate/format/element_type.h"
#include "delegate/format/status.h"

namespace sbnn {

// Of a whole tensor.
struct Quantization {
  float scale = 0;  // 0: the numbers are themselves
  int32_t zero_point = 0;

  bool operator==(const Quantization& other) const {
    return scale == other.scale && zero_point == other.zero_point;
  }
  bool operator!=(const Quantization& other) const { return !(*this == other); }
};

// Of a constant, where each slice along an axis may have a scale of its own.
struct ChannelQuantization {
  std::vector<float> scales;  // one for all, or one for each element of the axis; none: no scale
  std::vector<int32_t> zero_points;  // as many
  int axis = 0;

  bool quantized() const { return !scales.empty(); }
};

// What a tensor holds.
struct TensorType {
  ElementType element = ElementType::kFloat32;
  Quantization quantization;

  bool operator==(const TensorType& other) const {
    return element == other.element && quantization == other.quantization;
  }
  bool operator!=(const TensorType& other) const { return !(*this == other); }
};

// Fails where a scale is not a number from 1e-18 to 1e18, or a zero point is none of the type's
// numbers.
Status Validate(const Quantization& quantization, ElementType type);

// The same of each slice; and where there are not as many scales as slices of this shape.
Status Validate(const ChannelQuantization& quantization, ElementType type,
                const std::vector<int>& shape);

// Numbers of 8 bits are int8 inside the engine: uint8 is the same with a zero point 128 less.
TensorType Inside(const TensorType& outside);

// The number of int8 that stands for what is nearest to a value.
int8_t NearestNumber(float value, const Quantization& quantization);

// A clamp to [lo, hi], in numbers of int8: 127 and -128 where it ends outside of them.
struct QuantizedLimits {
  int8_t lo = -128, hi = 127;
};
QuantizedLimits Quantize(float lo, float hi, const Quantization& quantization);

}  // namespace sbnn

#endif  // SBNN_DELEGATE_FORMAT_QUANTIZATION_H_
