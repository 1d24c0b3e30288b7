// Numbers of 16 bits, IEEE 754's binary16, on any CPU.
#ifndef SBNN_DELEGATE_FORMAT_HALF_H_
#define SBNN_DELEGATE_FORMAT_HALF_H_

#include <cstdint>

namespace sbnn {

float HalfToFloat(uint16_t half);
// Rounded to the nearest, ties to even; what is too large becomes infinite.
uint16_t FloatToHalf(float value);

struct Half {
  Half() = default;
  Half(float value) : bits(FloatToHalf(value)) {}
  operator float() const { return HalfToFloat(bits); }

  uint16_t bits;
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_FORMAT_HALF_H_
