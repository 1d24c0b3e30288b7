#include "delegate/engine/fixed_point.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace sbnn {

FixedPoint ToFixedPoint(double real) {
  if (real == 0 || std::isnan(real)) return {};
  FixedPoint f;
  real = std::clamp(real, -0x1.0p+40, 0x1.0p+40);
  const double mantissa = std::frexp(real, &f.shift);
  auto rounded = static_cast<int64_t>(std::round(mantissa * (int64_t{1} << 31)));
  if (rounded == int64_t{1} << 31) {
    rounded /= 2;
    ++f.shift;
  }
  if (f.shift < -31) return {};
  if (f.shift > 30) {
    constexpr int32_t kMost = std::numeric_limits<int32_t>::max();
    return {real > 0 ? kMost : -kMost, 30};
  }
  f.multiplier = static_cast<int32_t>(rounded);
  return f;
}

int32_t Multiply(int32_t x, const FixedPoint& f, Halves halves) {
  constexpr int64_t kHalf = int64_t{1} << 30;
  const int64_t shifted = int64_t{x} * (int64_t{1} << std::max(0, f.shift));
  const auto left = static_cast<int32_t>(std::clamp<int64_t>(
      shifted, std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max()));
  const int64_t product = int64_t{left} * f.multiplier;
  const auto high =
      static_cast<int32_t>((product + (product >= 0 ? kHalf : 1 - kHalf)) / (int64_t{1} << 31));
  return DivideByPowerOfTwo(high, std::max(0, -f.shift), halves);
}

int32_t DivideByPowerOfTwo(int32_t x, int exponent, Halves halves) {
  const auto mask = static_cast<int32_t>((int64_t{1} << exponent) - 1);
  const int32_t rest = x & mask;
  const int32_t threshold = (mask >> 1) + (x < 0 && halves == Halves::kAway ? 1 : 0);
  return (x >> exponent) + (rest > threshold ? 1 : 0);
}

int16_t HighProduct(int16_t a, int16_t b) {
  constexpr int16_t kLeast = std::numeric_limits<int16_t>::min();
  if (a == kLeast && b == kLeast) return std::numeric_limits<int16_t>::max();
  const int32_t product = int32_t{a} * b;
  return static_cast<int16_t>((product + (product >= 0 ? 1 << 14 : 1 - (1 << 14))) / (1 << 15));
}

}  // namespace sbnn
