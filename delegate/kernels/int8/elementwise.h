// Kernels of int8 that go element by element, or add elements up.
#ifndef SBNN_DELEGATE_KERNELS_INT8_ELEMENTWISE_H_
#define SBNN_DELEGATE_KERNELS_INT8_ELEMENTWISE_H_

#include <cstddef>
#include <cstdint>

#include "delegate/kernels/int8/kernels.h"

namespace sbnn {
namespace int8 {

// y = (bias + a * a_factor + b * b_factor) >> shift, plus the zero point, limited: XNNPACK's sum.
struct AddArgs {
  const int8_t* a;
  const int8_t* b;
  bool b_is_scalar;  // b has one element
  int8_t* y;         // may be a or b
  size_t count;
  int32_t bias, a_factor, b_factor;
  int shift;
  Requantization to;
};
using AddFn = void (*)(const AddArgs&);

// y = (a - a_zero_point) * (b - b_zero_point) times a scale, rounded to the nearest, plus the zero
// point, limited. Products with the scale are floats and ties go to even numbers, as in XNNPACK; or
// products are exact and ties go up, as in XNNPACK on ARM. There the scale is from 2^-16 to 2^8.
struct MultiplyArgs {
  const int8_t* a;
  const int8_t* b;
  bool b_is_scalar;
  int8_t* y;
  size_t count;
  int32_t a_zero_point, b_zero_point;
  float scale;
  bool exact;
  Requantization to;
};
using MultiplyFn = void (*)(const MultiplyArgs&);

// y = table[x], by the bits of x; y may be x.
using LookupFn = void (*)(const int8_t* x, int8_t* y, size_t count, const int8_t* table);

// y = x times the inverse of a scale, rounded to the nearest, ties to even, plus the zero point,
// limited.
using QuantizeFn = void (*)(const float* x, int8_t* y, size_t count, float inverse_scale,
                            const Requantization& to);
// y = (x - zero_point) * scale.
using DequantizeFn = void (*)(const int8_t* x, float* y, size_t count, float scale,
                              int32_t zero_point);

// The sum of `count` elements; and of each of four channels of quads.
using SumFn = int32_t (*)(const int8_t* x, size_t count);
using SumQuadsFn = void (*)(const int8_t* x, size_t pixels, int32_t* sums);

// sums += x, element by element.
using AccumulateFn = void (*)(const int8_t* x, int32_t* sums, size_t count);
// y = max(x, y), element by element.
using MaximumFn = void (*)(const int8_t* x, int8_t* y, size_t count);
// y limited to [lo, hi].
using LimitFn = void (*)(int8_t* y, size_t count, int8_t lo, int8_t hi);

struct Elementwise {
  AddFn add;
  MultiplyFn multiply;
  LookupFn lookup;
  QuantizeFn quantize;
  DequantizeFn dequantize;
  SumFn sum;
  SumQuadsFn sum_quads;
  AccumulateFn accumulate;
  MaximumFn maximum;
  LimitFn limit;
};

}  // namespace int8
}  // namespace sbnn

#endif  // SBNN_DELEGATE_KERNELS_INT8_ELEMENTWISE_H_
