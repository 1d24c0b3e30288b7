// Functions of int8 as tables of all of their 256 results.
#ifndef SBNN_DELEGATE_ENGINE_TABLES_H_
#define SBNN_DELEGATE_ENGINE_TABLES_H_

#include <array>
#include <cstdint>

#include "delegate/format/quantization.h"
#include "delegate/kernels/kernels.h"

namespace sbnn {

// By the bits of the argument.
using Table = std::array<int8_t, 256>;

// What stock TensorFlow Lite computes, by XNNPACK where that takes the node, for these
// quantizations of the argument and the result:

// of LOGISTIC, TANH, ELU and GELU the float function's result, rounded; HARD_SWISH and LEAKY_RELU
// in whole numbers, as their kernels have it;
Table FunctionTable(UnaryKind kind, float alpha, const Quantization& in, const Quantization& out);

// of RELU and its relatives, in fixed point;
Table ClampTable(float lo, float hi, const Quantization& in, const Quantization& out);

// of QUANTIZE from int8 to int8, which XNNPACK does with 8 bits behind the point, where it can;
Table RequantizeTable(const Quantization& in, const Quantization& out);

// of CONCATENATION, which for uint8 takes operands of any scale, in floats.
Table RescaleTable(const Quantization& in, const Quantization& out);

// What numbers stand for.
std::array<float, 256> RealTable(const Quantization& quantization);

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_TABLES_H_
