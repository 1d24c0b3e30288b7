// Functions of int8 as tables of all of their 256 results.
#ifndef SBNN_DELEGATE_ENGINE_TABLES_H_
#define SBNN_DELEGATE_ENGINE_TABLES_H_

#include <array>
#include <cstdint>

#include "delegate/format/quantization.h"
#include "delegate/format/status.h"
#include "delegate/kernels/kernels.h"

namespace sbnn {

// By the bits of the argument.
using Table = std::array<int8_t, 256>;

// What stock TensorFlow Lite computes, by XNNPACK where that takes the node, for these
// quantizations of the argument and the result:

// of LOGISTIC, TANH and GELU the float function's result, rounded, ties away from zero; of ELU,
// which is XNNPACK's, rounded with the zero point, ties to even; HARD_SWISH and LEAKY_RELU in whole
// numbers, as their kernels have it;
Table FunctionTable(UnaryKind kind, float alpha, const Quantization& in, const Quantization& out);

// of RELU and its relatives, in fixed point;
Table ClampTable(float lo, float hi, const Quantization& in, const Quantization& out);

// of QUANTIZE between int8 and uint8, in fixed point, where CheckRequantize allows it;
Table ConvertTable(const Quantization& in, const Quantization& out);

// of QUANTIZE from int8 to int8 or from uint8 to uint8, which XNNPACK does with 8 bits behind the
// point, where it can, else the same;
Table RequantizeTable(const Quantization& in, const Quantization& out);

// (The built-in kernel rounds whole vectors of sixteen numbers otherwise than the rest, if it has to
// divide.)
Status CheckRequantize(const Quantization& in, const Quantization& out, bool same_type);

// of CONCATENATION, which for uint8 takes operands of any scale, in floats.
Table RescaleTable(const Quantization& in, const Quantization& out);

// What numbers stand for.
std::array<float, 256> RealTable(const Quantization& quantization);

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_TABLES_H_
