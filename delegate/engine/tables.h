// Functions of int8 as tables of all of their 256 results.
#ifndef SBNN_DELEGATE_ENGINE_TABLES_H_
#define SBNN_DELEGATE_ENGINE_TABLES_H_

#include <array>
#include <cstdint>

#include "delegate/engine/fixed_point.h"
#include "delegate/format/quantization.h"
#include "delegate/kernels/kernels.h"

namespace sbnn {

// By the bits of the argument.
using Table = std::array<int8_t, 256>;

// What stock TensorFlow Lite computes, by XNNPACK where that takes the node, for these
// quantizations of the argument and the result:

// of LOGISTIC, TANH and ELU, which are XNNPACK's, the float function's result, rounded with the
// zero point, ties to even; of GELU without it, ties away from zero; HARD_SWISH and LEAKY_RELU in
// whole numbers, as their kernels have it;
Table FunctionTable(UnaryKind kind, float alpha, const Quantization& in, const Quantization& out,
                    bool was_uint8 = false);

// of HARD_SWISH in whole vectors on ARM;
Table HardSwishTableOfVectors(const Quantization& in, const Quantization& out);

// of RELU and its relatives, in fixed point;
Table ClampTable(float lo, float hi, const Quantization& in, const Quantization& out);

// of QUANTIZE from int8 to int8 or from uint8 to uint8, which XNNPACK does with 8 bits behind the
// point, for scales that it takes;
bool RequantizesInXnnpack(const Quantization& in, const Quantization& out);
Table RequantizeTable(const Quantization& in, const Quantization& out);

// of QUANTIZE otherwise, in fixed point: in whole vectors halves go up;
Table ConvertTable(const Quantization& in, const Quantization& out, Halves halves);

// of CONCATENATION, which for uint8 takes operands of any scale, in floats.
Table RescaleTable(const Quantization& in, const Quantization& out);

// What numbers stand for.
std::array<float, 256> RealTable(const Quantization& quantization);

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_TABLES_H_
