#include "delegate/file/parameters.h"

#include <algorithm>

#include "delegate/translation/builtin_params.h"
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

// What TensorFlow Lite makes of parameters that a file leaves out: all are zero. (The schema's
// defaults are of fields in a table that is there.)
template <typename Fn>
std::shared_ptr<void> MakeIf(bool given, const Fn& read) {
  using Params = decltype(read());
  return Make(given ? read() : Params());
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
  const auto is = [&](Options expected) { return t && type == expected; };
  switch (builtin_code) {
    case kTfLiteBuiltinAdd:
      return MakeIf(is(kAdd), [&] { return BinaryParams{ActivationOf(t, 0)}; });
    case kTfLiteBuiltinSub:
      return MakeIf(is(kSub), [&] { return BinaryParams{ActivationOf(t, 0)}; });
    case kTfLiteBuiltinMul:
      return MakeIf(is(kMul), [&] { return BinaryParams{ActivationOf(t, 0)}; });
    case kTfLiteBuiltinDiv:
      return MakeIf(is(kDiv), [&] { return BinaryParams{ActivationOf(t, 0)}; });
    case kTfLiteBuiltinAveragePool2d:
    case kTfLiteBuiltinMaxPool2d:
      return MakeIf(is(kPool2D), [&] {
        return PoolParams{PaddingOf(t, 0),   t.Get<int32_t>(1), t.Get<int32_t>(2),
                          t.Get<int32_t>(3), t.Get<int32_t>(4), ActivationOf(t, 5)};
      });
    case kTfLiteBuiltinConcatenation:
      return MakeIf(is(kConcatenation),
                    [&] { return ConcatenationParams{t.Get<int32_t>(0), ActivationOf(t, 1)}; });
    case kTfLiteBuiltinConv2d:
      return MakeIf(is(kConv2D), [&] {
        return ConvParams{PaddingOf(t, 0),    t.Get<int32_t>(1),    t.Get<int32_t>(2),
                          ActivationOf(t, 3), t.Get<int32_t>(4, 1), t.Get<int32_t>(5, 1)};
      });
    case kTfLiteBuiltinDepthToSpace:
      return MakeIf(is(kDepthToSpace), [&] { return BlockParams{t.Get<int32_t>(0)}; });
    case kTfLiteBuiltinSpaceToDepth:
      return MakeIf(is(kSpaceToDepth), [&] { return BlockParams{t.Get<int32_t>(0)}; });
    case kTfLiteBuiltinDepthwiseConv2d:
      return MakeIf(is(kDepthwiseConv2D), [&] {
        return DepthwiseConvParams{PaddingOf(t, 0),     t.Get<int32_t>(1),  t.Get<int32_t>(2),
                                   t.Get<int32_t>(3),   ActivationOf(t, 4), t.Get<int32_t>(5, 1),
                                   t.Get<int32_t>(6, 1)};
      });
    case kTfLiteBuiltinFullyConnected:
      return MakeIf(is(kFullyConnected), [&] {
        return FullyConnectedParams{ActivationOf(t, 0), t.Get<int8_t>(1), Flag(t, 2)};
      });
    case kTfLiteBuiltinGelu:
      return MakeIf(is(kGelu), [&] { return GeluParams{Flag(t, 0)}; });
    case kTfLiteBuiltinLeakyRelu:
      return MakeIf(is(kLeakyRelu), [&] { return LeakyReluParams{t.Get<float>(0)}; });
    case kTfLiteBuiltinMean:
      return MakeIf(is(kReducer), [&] { return ReducerParams{Flag(t, 0)}; });
    case kTfLiteBuiltinMirrorPad:  // (The schema's modes are one less than the C API's.)
      return MakeIf(is(kMirrorPad), [&] { return MirrorPadParams{t.Get<int8_t>(0) + 1}; });
    case kTfLiteBuiltinPack:
      return MakeIf(is(kPack), [&] { return PackParams{t.Get<int32_t>(0), t.Get<int32_t>(1)}; });
    case kTfLiteBuiltinReshape: {
      ReshapeParams params = {};
      if (is(kReshape)) params.num_dimensions = ReadInts(t, 0, params.shape);
      return Make(params);
    }
    case kTfLiteBuiltinResizeBilinear:
      return MakeIf(is(kResizeBilinear), [&] { return ResizeParams{Flag(t, 2), Flag(t, 3)}; });
    case kTfLiteBuiltinResizeNearestNeighbor:
      return MakeIf(is(kResizeNearestNeighbor),
                    [&] { return ResizeParams{Flag(t, 0), Flag(t, 1)}; });
    case kTfLiteBuiltinShape:
      return MakeIf(is(kShape), [&] { return t.Get<int8_t>(0); });
    case kTfLiteBuiltinSoftmax:
      return MakeIf(is(kSoftmax), [&] { return SoftmaxParams{t.Get<float>(0)}; });
    case kTfLiteBuiltinSplit:
      return MakeIf(is(kSplit), [&] { return SplitParams{t.Get<int32_t>(0)}; });
    case kTfLiteBuiltinSqueeze: {
      SqueezeParams params = {};
      if (is(kSqueeze)) params.num_axes = ReadInts(t, 0, params.axes);
      return params.num_axes < 0 ? nullptr : Make(params);
    }
    case kTfLiteBuiltinStridedSlice:
      return MakeIf(is(kStridedSlice), [&] {
        return StridedSliceParams{t.Get<int32_t>(0), t.Get<int32_t>(1), t.Get<int32_t>(2),
                                  t.Get<int32_t>(3), t.Get<int32_t>(4), Flag(t, 5)};
      });
    case kTfLiteBuiltinTransposeConv:
      return MakeIf(is(kTransposeConv), [&] {
        return TransposeConvParams{PaddingOf(t, 0), t.Get<int32_t>(1), t.Get<int32_t>(2),
                                   ActivationOf(t, 3)};
      });
    default:
      return nullptr;
  }
}

}  // namespace sbnn
