// The parameters of builtin operators as TensorFlow Lite lays them out in memory. The header that
// declares them is in no package; this is the part of that stable C ABI that the delegate reads.
// New fields are only ever added behind the ones here.
#ifndef SBNN_DELEGATE_TRANSLATION_BUILTIN_PARAMS_H_
#define SBNN_DELEGATE_TRANSLATION_BUILTIN_PARAMS_H_

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

struct TransposeConvParams {
  PaddingKind padding;
  int32_t stride_width;
  int32_t stride_height;
  FusedActivation activation;
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

struct SqueezeParams {
  int32_t axes[8];
  int32_t num_axes;
};

struct PackParams {
  int32_t count;
  int32_t axis;
};

struct SplitParams {
  int32_t count;
};

// Bit i of a mask is about dimension i.
struct StridedSliceParams {
  int32_t begin_mask;     // begin is the first element
  int32_t end_mask;       // end is behind the last element
  int32_t ellipsis_mask;  // all dimensions that are not named
  int32_t new_axis_mask;
  int32_t shrink_axis_mask;  // one element, and the dimension is dropped
  bool end_is_offset;        // from begin
};

struct BlockParams {  // DEPTH_TO_SPACE, SPACE_TO_DEPTH
  int32_t block_size;
};

struct MirrorPadParams {
  int32_t mode;  // 1: REFLECT, without the border; 2: SYMMETRIC, with it
};

// RESIZE_BILINEAR, RESIZE_NEAREST_NEIGHBOR
struct ResizeParams {
  bool align_corners;
  bool half_pixel_centers;
};

struct GeluParams {
  bool approximate;
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_TRANSLATION_BUILTIN_PARAMS_H_
