// What the engine and the micro-kernels of int8 agree on: plain structs and function types.
//
// Activations are int8 (asymmetric, a scale and a zero point a tensor), weights int8 (symmetric, a
// scale an output channel), sums int32 and exact. An image is held in one of two layouts:
//
//   quads    [channels / 4][pixels][4]: four channels of a pixel side by side
//   panel    [channels][pixels]
//
// Channels behind the last, in the last quad, hold anything: their weights are zero. Strides and
// offsets count bytes. Kernels may read and write kSlack bytes behind what they are asked for, in
// each plane.
#ifndef SBNN_DELEGATE_KERNELS_INT8_KERNELS_H_
#define SBNN_DELEGATE_KERNELS_INT8_KERNELS_H_

#include <cstddef>
#include <cstdint>

namespace sbnn {
namespace int8 {

// Bytes behind a plane that a kernel may touch: the longest vector of pixels of quads.
constexpr int kSlack = 64;

// From a sum to an element: float(sum) times the output's scale (input scale * weight scale /
// output scale, in floats), rounded to the nearest, ties to even; plus the zero point; limited to
// [lo, hi]. This is XNNPACK's arithmetic. The product's magnitude must be less than 2^31.
struct Requantization {
  int32_t zero_point;
  int32_t lo, hi;
};

// What becomes of sums in place of int8: floats. Inputs were rounded as they came ("dynamic
// range"), those of each pixel by numbers of their own. An element is
//   float(sum - zero point * sum of the output's weights) * input scale * the output's scale +
//   bias,
// of which the last product and the sum are rounded once, limited to [lo, hi]: XNNPACK's arithmetic
// of qd8. (WebAssembly has no such kernels: its module may not grow.)
struct FloatOutput {
  float* y;                    // the tile's first pixel of output 0; whole vectors are written
  size_t y_stride;             // floats between outputs
  const int32_t* zero_points;  // of each pixel, input_offset included; whole vectors are read
  const float* input_scales;   // of each pixel
  const float* bias;           // [outputs]
  float lo, hi;
};

// Sparse matrix times a tile of pixels. Weights come in steps: of a step four inputs are multiplied
// by the weights of `group` outputs (1, 2 or 4), either a quad (SpmmFn of blocks) or any four
// channels of a panel (of columns). Of the tile, the first `pixels` are written, no more.
struct SpmmArgs {
  const int8_t* x;              // the tile's first pixel in the plane that the offsets refer to
  int8_t* y;                    // the tile's first pixel of output 0
  size_t y_stride;              // from four outputs to the next four, or in a panel to the next
  int pixels;                   // more than the tile without its last vector or tail has
  const uint32_t* group_begin;  // [groups + 1] steps
  const int32_t* offset;        // [steps] of blocks, [steps][4] of columns
  const int8_t* weights;        // [steps][group][4 inputs]
  const int32_t* bias;          // [outputs]: see Kernels::input_offset; to floats, sums of weights
  const float* scale;           // [outputs]
  uint32_t first_quad;          // of outputs
  uint32_t end_quad;
  Requantization to;
  FloatOutput floats = {};  // of kernels to floats, in place of y, y_stride and to
};
using SpmmFn = void (*)(const SpmmArgs&);

// Sparse matrix times one pixel, blocks of four outputs. x: all inputs, whole quads.
struct SpmvArgs {
  const int8_t* x;
  int8_t* y;  // written up to a whole quad
  const uint32_t* group_begin;
  const uint16_t* blocks;  // [steps] which quad of inputs
  const int8_t* weights;   // [steps][4][4]
  const int32_t* bias;
  const float* scale;
  uint32_t first_quad;
  uint32_t end_quad;
  Requantization to;
  FloatOutput floats = {};  // as in SpmmArgs; y is written up to a whole quad
};
using SpmvFn = void (*)(const SpmvArgs&);

// Depthwise convolution of quads with a window of 3 x 3 or 5 x 5, stride 1 or 2.
struct DepthwiseArgs {
  const int8_t* x;
  size_t x_stride;  // between quads of channels
  int in_h, in_w;
  int8_t* y;
  size_t y_stride;  // between quads of channels
  bool to_panel;    // y is one, and y_stride that between channels
  bool y_room;      // kSlack bytes behind the last row of each plane may be written
  int out_w;
  int first_row, end_row;  // of the output
  int quads;               // of channels
  int pad_top, pad_left;
  int8_t pad;             // what stands outside of the image: the zero point; and
  const int8_t* pad_row;  // [in_w][4] of it, and kSlack bytes behind
  const int8_t* weights;  // [quads] of what PackDepthwise makes
  const int32_t* bias;    // [quads * 4]: see Kernels::input_offset
  const float* scale;
  Requantization to;
};
using DepthwiseFn = void (*)(const DepthwiseArgs&);

// Depthwise convolution of one quad of channels with any window, of one row of the output.
struct DepthwiseAnyArgs {
  const int8_t* x;  // the quad's plane
  int in_h, in_w;
  int8_t* y;  // row of the output: pixel i at i * y_pixel, channel c at c * y_channel
  size_t y_pixel, y_channel;
  int out_w;
  int row;  // of the output
  int kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left;
  int32_t input_zero_point;
  const int8_t* weights;  // [taps][4]
  const int32_t* bias;    // [4] as the file has it
  const float* scale;     // [4]
  int32_t* sums;          // [out_w][4] work space
  Requantization to;
};
using DepthwiseAnyFn = void (*)(const DepthwiseAnyArgs&);

// Rows of elements of 4 bytes (quads) or 1 byte (panels), shifted and thinned out: y[r][i] is
// x[r][i * stride + shift], `fill` where that is outside of the row. Of both, kSlack bytes behind
// the last row may be touched.
struct ShiftRowsArgs {
  const void* x;
  size_t x_row_stride;
  int width;
  int rows;
  void* y;  // [rows][length]
  int length;
  int stride;
  int shift;
  int8_t fill;
};
using ShiftRowsFn = void (*)(const ShiftRowsArgs&);

// Four bytes of each pixel of rows whose pixels have `pixel` bytes, from any four places, into rows
// of quads.
struct GatherArgs {
  const int8_t* x;
  size_t x_row;  // from a row to the next
  size_t pixel;
  int32_t at[4];  // from x; negative: nothing but zeros
  int rows;
  int count;  // of pixels of a row
  int8_t* y;  // [rows][count][4]
};
using GatherFn = void (*)(const GatherArgs&);

// Between layouts. `pixels` of `channels` each; a stride between pixels (flat), quads or planes.
struct RelayoutArgs {
  const int8_t* x;
  size_t x_stride;
  int8_t* y;
  size_t y_stride;
  size_t pixels;
  int channels;
};
using RelayoutFn = void (*)(const RelayoutArgs&);

// Runs about `steps` x 12 independent products of a kind that spmm consists of; returns how many
// multiplications of int8 that were.
using DotLoopFn = double (*)(size_t steps, int32_t* sink);

}  // namespace int8
}  // namespace sbnn

#endif  // SBNN_DELEGATE_KERNELS_INT8_KERNELS_H_
