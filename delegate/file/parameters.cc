#include "delegate/file/parameters.h"

#include <algorithm>

#include "delegate/tflite/builtin_params.h"
#include "tensorflow/lite/builtin_ops.h"

namespace sbnn {
namespace {

// Members of the union BuiltinOptions in TensorFlow Lite's schema.
enum Options : uint8_t {
  kConv2D = 1,
  kDepthwiseConv2D = 2,
  kPool2D = 5,
  kFullyConnected = 8,
  kSoftmax = 9,
  kConcatenation = 10,
  kAdd = 11,
  kResizeBilinear = 15,
  kReshape = 17,
  kSpaceToDepth = 19,
  kMul = 21,
  kReducer = 27,
  kSub = 28,
  kDiv = 29,
  kSqueeze = 30,
  kStridedSlice = 32,
  kSplit = 35,
  kTransposeConv = 49,
  kShape = 55,
  kPack = 59,
  kResizeNearestNeighbor = 74,
  kLeakyRelu = 75,
  kMirrorPad = 77,
  kDepthToSpace = 94,
  kGelu = 116,
};

template <typename Params>
std::shared_ptr<void> Make(const Params& params) {
  return std::make_shared<Params>(params);
}

bool Flag(const Table& t, int field) { return t.Get<uint8_t>(field) != 0; }

// (The schema's SAME and VALID are one less than the C API's. Others stay unknown.)
PaddingKind PaddingOf(const Table& t, int field) {
  switch (t.Get<int8_t>(field)) {
    case 0:
      return PaddingKind::kSame;
    case 1:
      return PaddingKind::kValid;
    default:
      return PaddingKind::kUnknown;
  }
}

// (The schema numbers them as the C API does.)
FusedActivation ActivationOf(const Table& t, int field) {
  return static_cast<FusedActivation>(t.Get<int8_t>(field));
}

int ReadInts(const Table& t, int field, int32_t (&values)[8]) {
  const Row<int32_t> row = t.Vector<int32_t>(field);
  if (row.size() > 8) return -1;
  for (uint32_t i = 0; i < row.size(); ++i) values[i] = row[i];
  return static_cast<int>(row.size());
}

}  // namespace

std::shared_ptr<void> ReadParameters(int builtin_code, uint8_t type, const Table& t) {
  if (!t) return nullptr;
  const auto is = [type](Options expected) { return type == expected; };
  switch (builtin_code) {
    case kTfLiteBuiltinAdd:
      return is(kAdd) ? Make(BinaryParams{ActivationOf(t, 0)}) : nullptr;
    case kTfLiteBuiltinSub:
      return is(kSub) ? Make(BinaryParams{ActivationOf(t, 0)}) : nullptr;
    case kTfLiteBuiltinMul:
      return is(kMul) ? Make(BinaryParams{ActivationOf(t, 0)}) : nullptr;
    case kTfLiteBuiltinDiv:
      return is(kDiv) ? Make(BinaryParams{ActivationOf(t, 0)}) : nullptr;
    case kTfLiteBuiltinAveragePool2d:
    case kTfLiteBuiltinMaxPool2d:
      if (!is(kPool2D)) return nullptr;
      return Make(PoolParams{PaddingOf(t, 0), t.Get<int32_t>(1), t.Get<int32_t>(2),
                             t.Get<int32_t>(3), t.Get<int32_t>(4), ActivationOf(t, 5)});
    case kTfLiteBuiltinConcatenation:
      if (!is(kConcatenation)) return nullptr;
      return Make(ConcatenationParams{t.Get<int32_t>(0), ActivationOf(t, 1)});
    case kTfLiteBuiltinConv2d:
      if (!is(kConv2D)) return nullptr;
      return Make(ConvParams{PaddingOf(t, 0), t.Get<int32_t>(1), t.Get<int32_t>(2),
                             ActivationOf(t, 3), t.Get<int32_t>(4, 1), t.Get<int32_t>(5, 1)});
    case kTfLiteBuiltinDepthToSpace:
      return is(kDepthToSpace) ? Make(BlockParams{t.Get<int32_t>(0)}) : nullptr;
    case kTfLiteBuiltinSpaceToDepth:
      return is(kSpaceToDepth) ? Make(BlockParams{t.Get<int32_t>(0)}) : nullptr;
    case kTfLiteBuiltinDepthwiseConv2d:
      if (!is(kDepthwiseConv2D)) return nullptr;
      return Make(DepthwiseConvParams{PaddingOf(t, 0), t.Get<int32_t>(1), t.Get<int32_t>(2),
                                      t.Get<int32_t>(3), ActivationOf(t, 4), t.Get<int32_t>(5, 1),
                                      t.Get<int32_t>(6, 1)});
    case kTfLiteBuiltinFullyConnected:
      if (!is(kFullyConnected)) return nullptr;
      return Make(FullyConnectedParams{ActivationOf(t, 0), t.Get<int8_t>(1), Flag(t, 2)});
    case kTfLiteBuiltinGelu:
      return is(kGelu) ? Make(GeluParams{Flag(t, 0)}) : nullptr;
    case kTfLiteBuiltinLeakyRelu:
      return is(kLeakyRelu) ? Make(LeakyReluParams{t.Get<float>(0)}) : nullptr;
    case kTfLiteBuiltinMean:
      return is(kReducer) ? Make(ReducerParams{Flag(t, 0)}) : nullptr;
    case kTfLiteBuiltinMirrorPad:  // (The schema's modes are one less than the C API's.)
      return is(kMirrorPad) ? Make(MirrorPadParams{t.Get<int8_t>(0) + 1}) : nullptr;
    case kTfLiteBuiltinPack:
      return is(kPack) ? Make(PackParams{t.Get<int32_t>(0), t.Get<int32_t>(1)}) : nullptr;
    case kTfLiteBuiltinReshape: {
      if (!is(kReshape)) return nullptr;
      ReshapeParams params = {};
      params.num_dimensions = ReadInts(t, 0, params.shape);
      return Make(params);
    }
    case kTfLiteBuiltinResizeBilinear:
      return is(kResizeBilinear) ? Make(ResizeParams{Flag(t, 2), Flag(t, 3)}) : nullptr;
    case kTfLiteBuiltinResizeNearestNeighbor:
      return is(kResizeNearestNeighbor) ? Make(ResizeParams{Flag(t, 0), Flag(t, 1)}) : nullptr;
    case kTfLiteBuiltinShape:
      return is(kShape) ? Make(t.Get<int8_t>(0)) : nullptr;
    case kTfLiteBuiltinSoftmax:
      return is(kSoftmax) ? Make(SoftmaxParams{t.Get<float>(0)}) : nullptr;
    case kTfLiteBuiltinSplit:
      return is(kSplit) ? Make(SplitParams{t.Get<int32_t>(0)}) : nullptr;
    case kTfLiteBuiltinSqueeze: {
      if (!is(kSqueeze)) return nullptr;
      SqueezeParams params = {};
      params.num_axes = ReadInts(t, 0, params.axes);
      return params.num_axes < 0 ? nullptr : Make(params);
    }
    case kTfLiteBuiltinStridedSlice:
      if (!is(kStridedSlice)) return nullptr;
      return Make(StridedSliceParams{t.Get<int32_t>(0), t.Get<int32_t>(1), t.Get<int32_t>(2),
                                     t.Get<int32_t>(3), t.Get<int32_t>(4), Flag(t, 5)});
    case kTfLiteBuiltinTransposeConv:
      if (!is(kTransposeConv)) return nullptr;
      return Make(TransposeConvParams{PaddingOf(t, 0), t.Get<int32_t>(1), t.Get<int32_t>(2),
                                      ActivationOf(t, 3)});
    default:
      return nullptr;
  }
}

}  // namespace sbnn
