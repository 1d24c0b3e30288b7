#include "delegate/file/versions.h"

#include <string>

#include "tensorflow/lite/builtin_ops.h"

namespace sbnn {
namespace {

struct Newest {
  int code, version;
};

// Of each operator that the translators know, as TensorFlow Lite 2.21 registers them. Within these
// a version says which types a file needs, and that fields of the parameters are set that are zero
// before.
constexpr Newest kNewest[] = {
    {kTfLiteBuiltinAdd, 6},
    {kTfLiteBuiltinAveragePool2d, 3},
    {kTfLiteBuiltinConcatenation, 6},
    {kTfLiteBuiltinConv2d, 8},
    {kTfLiteBuiltinDensify, 1},
    {kTfLiteBuiltinDepthToSpace, 2},
    {kTfLiteBuiltinDepthwiseConv2d, 7},
    {kTfLiteBuiltinDequantize, 8},
    {kTfLiteBuiltinDiv, 2},
    {kTfLiteBuiltinElu, 1},
    {kTfLiteBuiltinExpandDims, 1},
    {kTfLiteBuiltinFullyConnected, 14},
    {kTfLiteBuiltinGelu, 3},
    {kTfLiteBuiltinHardSwish, 1},
    {kTfLiteBuiltinLeakyRelu, 2},
    {kTfLiteBuiltinLogistic, 3},
    {kTfLiteBuiltinMaxPool2d, 3},
    {kTfLiteBuiltinMaximum, 4},
    {kTfLiteBuiltinMean, 3},
    {kTfLiteBuiltinMinimum, 4},
    {kTfLiteBuiltinMirrorPad, 3},
    {kTfLiteBuiltinMul, 8},
    {kTfLiteBuiltinPack, 4},
    {kTfLiteBuiltinPad, 5},
    {kTfLiteBuiltinPadv2, 5},
    {kTfLiteBuiltinPrelu, 1},
    {kTfLiteBuiltinQuantize, 6},
    {kTfLiteBuiltinRelu, 3},
    {kTfLiteBuiltinRelu0To1, 1},
    {kTfLiteBuiltinRelu6, 3},
    {kTfLiteBuiltinReluN1To1, 1},
    {kTfLiteBuiltinReshape, 1},
    {kTfLiteBuiltinResizeBilinear, 4},
    {kTfLiteBuiltinResizeNearestNeighbor, 4},
    {kTfLiteBuiltinShape, 1},
    {kTfLiteBuiltinSoftmax, 4},
    {kTfLiteBuiltinSpaceToDepth, 2},
    {kTfLiteBuiltinSplit, 4},
    {kTfLiteBuiltinSqueeze, 2},
    {kTfLiteBuiltinStridedSlice, 8},
    {kTfLiteBuiltinSub, 5},
    {kTfLiteBuiltinTanh, 3},
    {kTfLiteBuiltinTranspose, 9},
    {kTfLiteBuiltinTransposeConv, 5},
};

}  // namespace

Status CheckVersion(int builtin_code, int version) {
  for (const Newest& newest : kNewest) {
    if (newest.code != builtin_code || (version >= 1 && version <= newest.version)) continue;
    return Status::Error("version " + std::to_string(version) +
                         " of the operator is not known, expected 1 to " +
                         std::to_string(newest.version));
  }
  return Status();
}

}  // namespace sbnn
