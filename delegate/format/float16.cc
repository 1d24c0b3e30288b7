#include "delegate/format/float16.h"

#include <cstring>

namespace sbnn {

float Float16ToFloat(uint16_t number) {
  const uint32_t sign = static_cast<uint32_t>(number & 0x8000u) << 16;
  uint32_t exponent = (number >> 10) & 0x1fu;
  uint32_t mantissa = number & 0x3ffu;
  uint32_t bits;
  if (exponent == 0x1fu) {
    bits = sign | 0x7f800000u | (mantissa << 13);
  } else if (exponent != 0) {
    bits = sign | ((exponent + 112u) << 23) | (mantissa << 13);
  } else if (mantissa == 0) {
    bits = sign;
  } else {  // subnormal: shift the leading one into place
    exponent = 113;
    while ((mantissa & 0x400u) == 0) {
      mantissa <<= 1;
      --exponent;
    }
    bits = sign | (exponent << 23) | ((mantissa & 0x3ffu) << 13);
  }
  float value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

uint16_t FloatToFloat16(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  const uint32_t sign = bits >> 16 & 0x8000u;
  bits &= 0x7fffffffu;
  if (bits > 0x7f800000u) return static_cast<uint16_t>(sign | 0x7e00u);   // NaN
  if (bits >= 0x47800000u) return static_cast<uint16_t>(sign | 0x7c00u);  // 65536 and more
  // Subnormal: 0.5 has the unit of the smallest float16, 2^-24, in its last place.
  if (bits < 0x38800000u) {
    float size;
    std::memcpy(&size, &bits, sizeof(size));
    size += 0.5f;
    std::memcpy(&bits, &size, sizeof(bits));
    return static_cast<uint16_t>(sign | (bits - 0x3f000000u));
  }
  bits += 0xfffu + (bits >> 13 & 1u);  // (may carry into the exponent, as it should)
  return static_cast<uint16_t>(sign | (bits - 0x38000000u) >> 13);
}

}  // namespace sbnn
