// Products with real numbers in whole numbers, as TensorFlow Lite's built-in kernels have them: a
// multiplier of 31 bits and a power of two (Jacob et al., "Quantization and Training of Neural
// Networks for Efficient Integer-Arithmetic-Only Inference", 2018, section 2.2).
#ifndef SBNN_DELEGATE_ENGINE_FIXED_POINT_H_
#define SBNN_DELEGATE_ENGINE_FIXED_POINT_H_

#include <cstdint>

namespace sbnn {

// multiplier * 2^(shift - 31).
struct FixedPoint {
  int32_t multiplier = 0;
  int shift = 0;
};
FixedPoint ToFixedPoint(double real);

// Where halves go: away from zero, or up, as those of vectors do.
enum class Halves { kAway, kUp };

// x * factor, rounded twice: once at 31 bits, then at the shift.
int32_t Multiply(int32_t x, const FixedPoint& factor, Halves halves = Halves::kAway);

// x / 2^exponent, rounded to the nearest.
int32_t DivideByPowerOfTwo(int32_t x, int exponent, Halves halves = Halves::kAway);

// a * b / 2^15, rounded to the nearest; never over the range.
int16_t HighProduct(int16_t a, int16_t b);

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_FIXED_POINT_H_
