// Where stock TensorFlow Lite rounds numbers of int8 otherwise on ARM than elsewhere.
#ifndef SBNN_DELEGATE_ENGINE_STOCK_ROUNDING_H_
#define SBNN_DELEGATE_ENGINE_STOCK_ROUNDING_H_

#include <cmath>

namespace sbnn {

// XNNPACK multiplies by scales in floats; on ARM, products and layers of uint8 in fixed point.
#if defined(__aarch64__) || defined(__arm__)
constexpr bool kStockHasFixedPoint = true;
#else
constexpr bool kStockHasFixedPoint = false;
#endif

// The built-in kernels of 64-bit ARM have a table of 16-bit powers for SOFTMAX, others one of
// floats; and what is written as a * b + c is one operation there.
#if defined(__aarch64__)
constexpr bool kStockHasWholePowers = true;
inline float MultiplyAdd(float a, float b, float c) { return std::fma(a, b, c); }
#else
constexpr bool kStockHasWholePowers = false;
inline float MultiplyAdd(float a, float b, float c) {
  const float product = a * b;
  return product + c;
}
#endif

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_STOCK_ROUNDING_H_
