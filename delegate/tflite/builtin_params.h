// The parameters of builtin operators as TensorFlow Lite lays them out in memory. The header that
// declares them is in no package; this is the part of that stable C ABI that the delegate reads.
// New fields are only ever added behind the ones here.
#ifndef SBNN_DELEGATE_TFLITE_BUILTIN_PARAMS_H_
#define SBNN_DELEGATE_TFLITE_BUILTIN_PARAMS_H_

#include <cstdint>

namespace sbnn {

enum class PaddingKind : int32_t { kUnknown = 0, kSame = 1, kValid = 2 };

enum class FusedActivation : int32_t {
  kNone = 0,
  kRelu = 1,
  kReluN1To1 = 2,
  kRelu6 = 3,
  kTanh = 4,
  kSignBit = 5,
  kSigmoid = 6,
};

struct ConvParams {
  PaddingKind padding;
  int32_t stride_width;
  int32_t stride_height;
  FusedActivation activation;
  int32_t dilation_width;
  int32_t dilation_height;
};

struct DepthwiseConvParams {
  PaddingKind padding;
  int32_t stride_width;
  int32_t stride_height;
  int32_t depth_multiplier;  // TFLite goes by the shapes instead
  FusedActivation activation;
  int32_t dilation_width;
  int32_t dilation_height;
};

// ADD, SUB, MUL and DIV; what follows differs.
struct BinaryParams {
  FusedActivation activation;
};

struct ConcatenationParams {
  int32_t axis;
  FusedActivation activation;
};

struct FullyConnectedParams {
  FusedActivation activation;
  int32_t weights_format;  // 0: plain row-major
  bool keep_num_dims;
};

struct LeakyReluParams {
  float alpha;
};

struct PoolParams {
  PaddingKind padding;
  int32_t stride_width;
  int32_t stride_height;
  int32_t filter_width;
  int32_t filter_height;
  FusedActivation activation;
};

struct ReducerParams {
  bool keep_dims;
};

struct SoftmaxParams {
  float beta;
};

struct ReshapeParams {
  int32_t shape[8];
  int32_t num_dimensions;
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_TFLITE_BUILTIN_PARAMS_H_
