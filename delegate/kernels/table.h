// Every micro-kernel of this build, and those that this CPU can run.
#ifndef SBNN_DELEGATE_KERNELS_TABLE_H_
#define SBNN_DELEGATE_KERNELS_TABLE_H_

#include <array>
#include <string>
#include <vector>

#include "delegate/format/element_type.h"
#include "delegate/format/packed_weights.h"
#include "delegate/kernels/kernels.h"

namespace sbnn {

constexpr int kMaxTileVectors = 16;
constexpr int kGroupKinds = static_cast<int>(kGroupSizes.size());
constexpr int kUnstructuredKind = kGroupKinds;  // the index of unstructured weights
constexpr int kTailKinds = static_cast<int>(sizeof(kTails) / sizeof(kTails[0]));

// The spmm kernels for tiles of one to `widest` vectors and a tail; widest is 0 where there are
// none.
struct SpmmTiles {
  int tail;  // pixels
  int widest;
  SpmmFn kernel[kMaxTileVectors];  // [vectors - 1]
};

// The kernels of one instruction set. Index g stands for kGroupSizes[g], and kUnstructuredKind for
// unstructured weights.
struct Kernels {
  const char* isa;   // "avx512", "avx2", "neon", "neon_fp16" or "scalar"
  int lanes;         // elements in a vector
  ElementType type;  // that they compute in
  ColumnCost column_cost;
  bool in_order;        // on a CPU that issues in order, as ARM's small cores do
  int copied_channels;  // images of so many are copied tile by tile (TilePanel); 0: none is

  SpmmTiles spmm[kGroupKinds + 1][1 + kTailKinds];  // [g][0]: no tail; then longer and longer ones
  SpmmFn spmm_unstructured_pixel;                   // of unstructured weights, a tile of one pixel
  SpmvFn spmv[kGroupKinds];
  ScaleColumnsFn scale_columns;
  DepthwiseFn depthwise;
  DepthwiseDirectFn depthwise_direct[2][2];  // [3 x 3, 5 x 5][stride - 1]
  // For planes whose rows have at most `lanes` floats, and half as many of the output; null where
  // vectors are short.
  DepthwiseDirectFn depthwise_two_channels[2][2];
  DepthwiseTapsFn depthwise_taps;
  PadRowFn pad_row;
  ShiftRowsFn shift_rows;
  PoolFn pool;
  PoolDirectFn pool_direct[3];  // 2 x 2, 3 x 3, 3 x 3 with stride 2
  ClampFn clamp;
  BinaryFn binary;
  UnaryFn unary;
  SoftmaxFn softmax_rows, softmax_columns;  // of float32 only
  ResizeFn resize;                          // of float32 only
  SumFn sum;
  TransposeFn transpose;
  FmaLoopFn fma_loop;
  // Of float16 only.
  NarrowFn narrow;
  WidenFn widen;
};

// What packing goes by on ARM's cores that issue in order; `column_cost` of a table made there.
extern const ColumnCost kInOrderCost;

int GroupIndex(int group);
int KindIndex(const PackedShape& weights);  // the kernels' that these weights take

// The kernels of floats of this build that this CPU can run, best first. "scalar" is always the
// last.
const std::vector<const Kernels*>& AvailableKernels();

// The best of them, or the one named; null where this CPU or build has none of that name.
const Kernels* FindKernels(const std::string& isa);

// The kernels of another type that go with these of float32; null where there are none, or the CPU
// has no arithmetic on it.
const Kernels* KernelsFor(const Kernels& kernels, ElementType type);

// One line of the table, for tests and benchmarks that must not miss a kernel.
struct KernelRow {
  std::string name;  // such as "spmm_g4_p6" or, with a tail of one pixel, "spmm_g4_p3_t1"
  const Kernels* kernels;
  int group;    // 0 where there is none or weights are unstructured
  int vectors;  // tile width in vectors, 0 where there is none, and
  int tail;     // pixels behind them
};
std::vector<KernelRow> KernelRows();

// Floating-point operations a second, in units of 1e9, of one thread that does nothing but vector
// FMAs in registers; the best of several runs of a few milliseconds.
double MeasurePeakGflops(const Kernels& kernels);

}  // namespace sbnn

#endif  // SBNN_DELEGATE_KERNELS_TABLE_H_
