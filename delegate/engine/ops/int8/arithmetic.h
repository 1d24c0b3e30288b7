// Functions of two numbers of int8.
#ifndef SBNN_DELEGATE_ENGINE_OPS_INT8_ARITHMETIC_H_
#define SBNN_DELEGATE_ENGINE_OPS_INT8_ARITHMETIC_H_

#include <cstddef>
#include <cstdint>

#include "delegate/engine/fixed_point.h"
#include "delegate/format/quantization.h"
#include "delegate/format/status.h"
#include "delegate/kernels/int8/table.h"
#include "delegate/kernels/kernels.h"

namespace sbnn {

// Element-wise, for given quantizations of two operands and the result: as XNNPACK computes sums,
// differences and products, TensorFlow Lite's built-in kernels the rest.
class Arithmetic {
 public:
  Arithmetic() = default;
  // kAdd, kSub, kMul, kMax, kMin or kPrelu, of `left` and `right`, limited to [lo, hi].
  Arithmetic(BinaryKind kind, const Quantization& left, const Quantization& right,
             const Quantization& result, float lo, float hi);

  // Whether stock TensorFlow Lite computes this as it is done here.
  static Status Check(BinaryKind kind, const Quantization& left, const Quantization& right,
                      const Quantization& result);

  // y = left op right. One of the two may be a scalar, one element for all.
  void operator()(const int8::Elementwise& kernels, const int8_t* left, bool left_is_scalar,
                  const int8_t* right, bool right_is_scalar, int8_t* y, size_t count) const;

 private:
  void Prelu(const int8_t* x, size_t x_step, const int8_t* slope, size_t slope_step, int8_t* y,
             size_t count) const;

  BinaryKind kind_ = BinaryKind::kAdd;
  Quantization left_, right_;
  int8::Requantization to_ = {};
  int8::AddArgs add_ = {};          // of kAdd and kSub: what does not change from call to call
  float scale_ = 0;                 // of kMul
  FixedPoint positive_, negative_;  // of kPrelu
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_OPS_INT8_ARITHMETIC_H_
