// What the parameters of several operators have: as TensorFlow Lite lays it out in memory, and as a
// file has it. The header that declares the structs is in no package; those under ops/ are the part
// of that stable C ABI that the translators read. New fields are only ever added behind the ones
// there.
#ifndef SBNN_DELEGATE_TRANSLATION_PARAMETERS_H_
#define SBNN_DELEGATE_TRANSLATION_PARAMETERS_H_

#include <cstdint>

#include "delegate/format/flatbuffer.h"

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

// Of the layers that are translated in float32 and in int8.
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

struct FullyConnectedParams {
  FusedActivation activation;
  int32_t weights_format;  // 0: plain row-major
  bool keep_num_dims;
};

// `field` of a table of the file.
PaddingKind ReadPaddingKind(const FlatTable& options, int field);
FusedActivation ReadActivation(const FlatTable& options, int field);
bool ReadFlag(const FlatTable& options, int field);
// How many there are; -1: more than 8.
int ReadInts(const FlatTable& options, int field, int32_t (&values)[8]);

}  // namespace sbnn

#endif  // SBNN_DELEGATE_TRANSLATION_PARAMETERS_H_
