// Numbers of 16 bits, IEEE 754's binary16, on any CPU.
#ifndef SBNN_DELEGATE_FORMAT_FLOAT16_H_
#define SBNN_DELEGATE_FORMAT_FLOAT16_H_

#include <cstdint>

namespace sbnn {

float Float16ToFloat(uint16_t number);
// Rounded to the nearest, ties to even; what is too large becomes infinite.
uint16_t FloatToFloat16(float value);

struct Float16 {
  Float16() = default;
  Float16(float value) : bits(FloatToFloat16(value)) {}
  operator float() const { return Float16ToFloat(bits); }

  uint16_t bits;
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_FORMAT_FLOAT16_H_
