// Kernels that round floats to int8 as they come ("dynamic range"): each row of a matrix, pixel of
// an image or image by a scale and a zero point of its own. This is XNNPACK's arithmetic of qd8:
// the range of the floats, and of 0, becomes that of int8.
#ifndef SBNN_DELEGATE_KERNELS_INT8_ROUNDING_H_
#define SBNN_DELEGATE_KERNELS_INT8_ROUNDING_H_

#include <cstddef>
#include <cstdint>

namespace sbnn {
namespace int8 {

// The least and the most of each pixel over the channels of a panel, if less or more than what
// `least` and `most` hold before.
struct RangesArgs {
  const float* x;
  size_t x_stride;  // between channels
  int channels;
  size_t pixels;
  float* least;
  float* most;
};
using RangesFn = void (*)(const RangesArgs&);

// The same of all floats of `rows`, of `count` each.
using RangeFn = void (*)(const float* x, size_t stride, size_t rows, size_t count, float* least,
                         float* most);

// How floats of some ranges are rounded. They may lie where the ranges lie.
struct RoundingsArgs {
  const float* least;  // at most 0
  const float* most;   // at least 0
  size_t count;
  float* scales;         // from floats to int8
  float* back;           // and back
  int32_t* zero_points;  // with Kernels::input_offset added
};
using RoundingsFn = void (*)(const RoundingsArgs&);

// Floats of a panel times their pixel's scale, to the nearest, ties to even; plus the zero point,
// limited to int8. Not a number is 127. To quads, of which the last is whole; or to a panel.
struct RoundArgs {
  const float* x;
  size_t x_stride;  // between channels
  int channels;
  size_t pixels;
  const float* scales;
  const int32_t* zero_points;  // as in RoundingsArgs
  int8_t* y;
  size_t y_stride;  // between quads, or channels
};
using RoundFn = void (*)(const RoundArgs&);

// The two below are of TensorFlow Lite's own kernels. Floats times a scale, to the nearest, halves
// away from 0; limited so that with the zero point they would be int8; as floats, without it.
using RoundAwayFn = void (*)(const float* x, float* y, size_t count, float scale,
                             int32_t zero_point);

// y = y * a * b + c, limited to [lo, hi]; each step is rounded.
struct ScaleArgs {
  float* y;
  size_t count;
  float a, b, c;
  float lo, hi;
};
using ScaleFn = void (*)(const ScaleArgs&);

struct Rounding {
  RangesFn ranges;
  RangeFn range;
  RoundingsFn roundings;
  RoundFn to_quads, to_panel;
  RoundAwayFn away;
  ScaleFn scale;
};

}  // namespace int8
}  // namespace sbnn

#endif  // SBNN_DELEGATE_KERNELS_INT8_ROUNDING_H_
