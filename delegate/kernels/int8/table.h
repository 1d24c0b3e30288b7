// Every int8 micro-kernel of this build, and those that this CPU can run.
#ifndef SBNN_DELEGATE_KERNELS_INT8_TABLE_H_
#define SBNN_DELEGATE_KERNELS_INT8_TABLE_H_

#include <string>
#include <vector>

#include "delegate/format/int8_weights.h"
#include "delegate/kernels/int8/elementwise.h"
#include "delegate/kernels/int8/kernels.h"
#include "delegate/kernels/int8/rounding.h"

namespace sbnn {
namespace int8 {

constexpr int kMaxTileVectors = 6;
constexpr int kTailPixels = 4;

// Of blocks: kernels for tiles of one to `widest` vectors, without and with a tail of kTailPixels.
struct BlockTiles {
  int widest;
  SpmmFn kernel[kMaxTileVectors];     // [vectors - 1]
  SpmmFn with_tail[kMaxTileVectors];  // null where a tail costs as much as a vector
};

// Of columns: kernels for tiles of 4 * lanes pixels, of `lanes`, and of kTailPixels; the last null
// where `lanes` are as few.
struct ColumnTiles {
  SpmmFn wide, narrow, tail;
};

// The kernels of one instruction set. Index g stands for kInt8Groups[g].
struct Kernels {
  const char* isa;  // as the float kernels' whose users these serve, or longer: "avx512vnni"
  int lanes;        // pixels of quads in a vector
  // Products see inputs so much greater than they are, which a bias has to take back: it is to be
  // less by the sum of an output's weights times this.
  int32_t input_offset;
  Int8Cost cost;

  BlockTiles blocks[kInt8GroupKinds];
  ColumnTiles columns[kInt8GroupKinds][2];  // [g][to a panel]
  SpmvFn spmv;
  // Whose sums become floats; none of WebAssembly.
  BlockTiles blocks_to_floats[kInt8GroupKinds];
  ColumnTiles columns_to_floats[kInt8GroupKinds];
  SpmvFn spmv_to_floats;
  Rounding rounding;
  DepthwiseFn depthwise[2][2];         // [3 x 3, 5 x 5][stride - 1]
  DepthwiseFn depthwise_narrow[2][2];  // for rows of half a vector; null where vectors are short
  DepthwiseAnyFn depthwise_any;
  ShiftRowsFn shift_quads, shift_bytes;
  GatherFn gather;
  RelayoutFn flat_to_quads, quads_to_flat, flat_to_panel, panel_to_flat, quads_to_panel,
      panel_to_quads;
  Elementwise elementwise;
  DotLoopFn dot_loop;
};

int GroupIndex(int group);

// What this CPU can run of this build, best first. "scalar" is the last, but for WebAssembly.
const std::vector<const Kernels*>& AvailableKernels();

// The best of those that go with float kernels of this name: "avx512vnni" with "avx512". Null where
// there are none.
const Kernels* KernelsOf(const std::string& isa);

// One line of the table, for tests and benchmarks that must not miss a kernel.
struct KernelRow {
  std::string name;  // such as "blocks_g4_p3_t4"
  const Kernels* kernels;
  SpmmFn spmm;  // of blocks and columns, and then
  int group;
  int pixels;  // of a tile
  bool to_panel;
};
std::vector<KernelRow> KernelRows(const std::vector<const Kernels*>& kernels);

// Multiplications of int8 a second, in units of 1e9, of one thread that does nothing but such
// products in registers; the best of several runs of a few milliseconds.
double MeasurePeak(const Kernels& kernels);

}  // namespace int8
}  // namespace sbnn

#endif  // SBNN_DELEGATE_KERNELS_INT8_TABLE_H_
