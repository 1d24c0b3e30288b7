// What the engine and the micro-kernels agree on: plain structs and function types, no ISA.
//
// Activations are panels: for each channel its pixels are contiguous, and a whole vector may be
// read and written at the last pixel (the plane has room for it).
//
// A void* leads to elements of the type that the kernel computes in (Kernels::type):
// float32 or float16 (IEEE 754 binary16). So do packed weights and biases. Offsets and strides
// count elements unless their name says bytes.
#ifndef SBNN_DELEGATE_KERNELS_KERNELS_H_
#define SBNN_DELEGATE_KERNELS_KERNELS_H_

#include <cstddef>
#include <cstdint>

namespace sbnn {

struct OutputPair;

// The longest vector of any kernel. Planes have this much room behind their last pixel.
constexpr int kMaxLanes = 16;

// Pixels behind the whole vectors of a tile that a kernel may have, if it has any.
constexpr int kTails[] = {1, 4};  // squares leave 0, 1, 4 or 9 of 16

// Sparse matrix times panel: for each group of outputs, the sum over its columns of `group` weights
// times a tile of pixels; bias and clamp included. A tile is some vectors and a tail of single
// pixels (see SpmmTiles); just these are written. Of unstructured weights a call takes one segment
// (see PackedWeights), from which y, bias, add, and all that is packed begin.
struct SpmmArgs {
  const void* x;                // the tile's first pixel in the panel that the offsets refer to
  void* y;                      // the tile's first pixel of output 0
  size_t y_stride;              // between outputs
  const uint32_t* group_begin;  // [groups + 1]; unstructured weights do without
  const int32_t* offset_bytes;  // [columns]
  const void* weights;          // [columns][group]
  const void* bias;             // [groups * group]; of unstructured weights may be null: zeros
  uint32_t first_group;         // of unstructured weights 0, and
  uint32_t end_group;           // the number of pairs
  float lo;
  float hi;
  const void* add;          // null, or what is added before the clamp: laid out as y, and may be y
  const OutputPair* pairs;  // of unstructured weights
  // Memory that is needed soon: a kernel may fetch a cache line for each column, each so many bytes
  // behind the one before.
  const char* fetch;
  size_t fetch_step;
};
using SpmmFn = void (*)(const SpmmArgs&);

// Sparse matrix times one vector: the outputs are the vector. Same packed weights as spmm,
// structured ones only.
struct SpmvArgs {
  const void* x;
  void* y;  // written up to a whole group
  const uint32_t* group_begin;
  const uint16_t* columns;
  const void* weights;
  const void* bias;
  uint32_t first_group;
  uint32_t end_group;
  float lo;
  float hi;
};
using SpmvFn = void (*)(const SpmvArgs&);

// Structured weights times a factor for each input: of columns [0, count), as they go into spmm or
// spmv.
struct ScaleColumnsArgs {
  const void* weights;      // [count][group]
  const uint16_t* columns;  // [count] the inputs
  const void* factors;
  void* y;  // as `weights`
  size_t count;
  int group;
};
using ScaleColumnsFn = void (*)(const ScaleColumnsArgs&);

// Depthwise convolution of rows of one channel, read from padded rows (see PadRowArgs).
struct DepthwiseArgs {
  const void* x;        // padded row of the first output row's first tap
  size_t x_row_stride;  // between padded rows
  void* y;
  size_t y_row_stride;  // the output's width: nothing behind the last row is written
  int rows;             // output rows
  int width;            // output pixels in a row
  int stride;           // vertical
  int taps;
  const int32_t* tap_offset;  // [taps] from x
  const void* weights;        // [taps]
  float bias;
  float lo;
  float hi;
};
using DepthwiseFn = void (*)(const DepthwiseArgs&);

// Depthwise convolution of planes of a panel, without a padded copy. Up to kMaxLanes elements
// before and twice as many behind each plane are read, and ignored. Windows reach at most kMaxLanes
// columns over the left and over the right side of the image.
struct DepthwisePlanes {
  const void* x;
  size_t x_stride;  // between channels
  int in_h, in_w;
  void* y;
  size_t y_stride;
  int out_w;
  int first_row, end_row;  // of the output
  int channels;
  const void* bias;  // [channels]
  float lo;
  float hi;
};

// A dense 3 x 3 or 5 x 5 window.
struct DepthwiseDirectArgs : DepthwisePlanes {
  int pad_top, pad_left;
  const void* weights;  // [channels][taps]
};
using DepthwiseDirectFn = void (*)(const DepthwiseDirectArgs&);

// Where a tap finds the pixel for an output pixel: so many rows below it, and columns right of it.
struct TapShift {
  int16_t row, column;
};

// The most columns between the least and the most of a window's taps, both included.
constexpr int kMaxTapColumns = 16;

// Any window of stride 1, of which each channel has taps of its own.
struct DepthwiseTapsArgs : DepthwisePlanes {
  const uint32_t* tap_begin;  // [channels + 1] the first of each channel
  const TapShift* taps;
  TapShift least, most;  // of all of them, rows and columns each for themselves
  const void* weights;   // [taps]
};
using DepthwiseTapsFn = void (*)(const DepthwiseTapsArgs&);

// One image row into padded phases: padded column c (c = source column + pad) goes to phase
// c % stride, position c / stride.
struct PadRowArgs {
  const void* x;        // null: nothing but fill
  size_t x_stride;      // between the pixels of the source row
  int width;            // source pixels
  void* y;              // phase 0
  size_t phase_stride;  // between phases
  int stride;
  int pad;
  int length;  // positions of each phase that must be right; up to a vector more is spoilt
  float fill;  // stands where there is no source
};
using PadRowFn = void (*)(const PadRowArgs&);

// Rows of a plane, shifted and thinned out: y[r][i] is x[r][i * stride + shift], 0 where that is
// outside of the row.
struct ShiftRowsArgs {
  const void* x;        // the first row; where x_stride is 1, a vector around a row may be read
  size_t x_row_stride;  // between rows
  size_t x_stride;      // between the pixels of a row
  int width;            // pixels of a row
  int rows;
  void* y;  // [rows][length], and up to a vector more is spoilt
  int length;
  int stride;
  int shift;
};
using ShiftRowsFn = void (*)(const ShiftRowsArgs&);

// Pooling of rows of one channel, read from padded rows as in DepthwiseArgs.
struct PoolArgs {
  const void* x;
  size_t x_row_stride;
  void* y;
  size_t y_row_stride;
  int rows;
  int width;
  int stride;  // vertical
  int taps;
  const int32_t* tap_offset;
  const void* row_scale;     // [rows], and
  const void* column_scale;  // [width]: the sum is multiplied by both; null: the maximum is taken
  float lo;
  float hi;
};
using PoolFn = void (*)(const PoolArgs&);

// Pooling of planes of a panel, without a padded copy: windows of 2 x 2, 2 apart, or of 3 x 3, 1 or
// 2 apart. What is read around a plane is as in DepthwisePlanes.
struct PoolDirectArgs {
  const void* x;
  size_t x_stride;  // between channels
  int in_h, in_w;
  void* y;
  size_t y_stride;
  int out_w;
  int first_row, end_row;  // of the output
  int channels;
  int pad_top, pad_left;
  const void* row_scale;     // as in PoolArgs, of the plane's first row,
  const void* column_scale;  // and of its first column, with room for a vector at the last
  float outside;             // stands around the image, for a maximum
  float lo;
  float hi;
};
using PoolDirectFn = void (*)(const PoolDirectArgs&);

// kPrelu: b is the slope of a where a is negative.
enum class BinaryKind { kAdd, kSub, kMul, kDiv, kMax, kMin, kPrelu, kSquaredDifference };

// Element-wise y = clamp(a op b); y may be a.
struct BinaryArgs {
  const void* a;
  const void* b;
  bool b_is_scalar;  // b has one element
  bool swapped;      // y = clamp(b op a)
  void* y;
  size_t count;
  float lo;
  float hi;
};
using BinaryFn = void (*)(BinaryKind, const BinaryArgs&);

// kSwish is x * logistic(x), also called SiLU: Ramachandran et al., "Searching for Activation
// Functions" (2017).
enum class UnaryKind { kLogistic, kTanh, kHardSwish, kLeakyRelu, kElu, kGelu, kGeluTanh, kSwish };

// Element-wise y = f(x); x may be y.
struct UnaryArgs {
  const void* x;
  void* y;
  size_t count;  // of a row
  size_t rows;
  size_t stride;  // between rows, of x and y
  float alpha;    // slope of kLeakyRelu
};
using UnaryFn = void (*)(UnaryKind, const UnaryArgs&);

// Softmax, e^(beta (x - the set's largest)) over the sum of that, of sets of elements; x may be y.
struct SoftmaxArgs {
  const void* x;
  size_t x_stride;  // of columns between the elements of a set, of rows between sets
  void* y;
  size_t y_stride;
  size_t count;  // of a set
  size_t sets;   // columns: a vector may be read and written at the last
  float beta;
};
using SoftmaxFn = void (*)(const SoftmaxArgs&);

constexpr int kResizedRows = 4;  // that a kernel has under way

// Resizing of one plane, floats only: rows that lie between two others, of pixels that do.
struct ResizeArgs {
  const float* x;  // rows that follow each other; a vector may be read at the last pixel
  int in_w;
  float* y;  // rows that follow each other; nothing behind the last is written
  int rows, out_w;
  // Of each row of y: the two of x, and how far it is from the upper to the lower one. Where
  // `lower` is null y has the nearest pixels, those of `upper` and `left`.
  const int32_t* upper;
  const int32_t* lower;
  const float* down;
  // Of each column the same, up to kMaxLanes more than out_w. Columns do not decrease.
  const int32_t* left;
  const int32_t* right;
  const float* across;
  float* between;  // [kResizedRows][in_w + kMaxLanes], and kMaxLanes more
};
using ResizeFn = void (*)(const ResizeArgs&);

// Element-wise clamp; x may be y.
struct ClampArgs {
  const void* x;
  void* y;
  size_t count;
  float lo;
  float hi;
};
using ClampFn = void (*)(const ClampArgs&);

// The sum of `count` elements.
using SumFn = float (*)(const void* x, size_t count);

// Between the outside's layout (pixels x channels) and the panel's (channels x pixels).
struct TransposeArgs {
  const void* x;
  size_t x_stride;  // between rows
  void* y;
  size_t y_stride;
  size_t rows;  // rows of x, columns of y
  size_t columns;
};
using TransposeFn = void (*)(const TransposeArgs&);

// Floats to float16, rounded to the nearest, and back.
using NarrowFn = void (*)(const float* x, void* y, size_t count);
using WidenFn = void (*)(const void* x, float* y, size_t count);

// Runs about `steps` x 12 independent vector FMAs; returns how many floating-point operations that
// were. `sink` keeps the result alive.
using FmaLoopFn = double (*)(size_t steps, float* sink);

}  // namespace sbnn

#endif  // SBNN_DELEGATE_KERNELS_KERNELS_H_
