// Collects the int8 kernels of one instruction set. Included once by each of the sources beside
// this one, after the header of its vectors.
#include <utility>

#include "delegate/kernels/int8/store.inl.h"

// Need what stores tiles.
#include "delegate/kernels/int8/depthwise.inl.h"
#include "delegate/kernels/int8/elementwise.inl.h"
#include "delegate/kernels/int8/move.inl.h"
#include "delegate/kernels/int8/spmm.inl.h"
#include "delegate/kernels/int8/spmv.inl.h"
#include "delegate/kernels/int8/table.h"
#if !defined(__wasm__)
#include "delegate/kernels/int8/floats.inl.h"
#include "delegate/kernels/int8/rounding.inl.h"
#endif

namespace sbnn {
namespace int8 {
namespace SBNN_ISA {
namespace {

// (As the float kernels' FmaLoop: twelve chains, none of which waits for another.)
template <class V>
double DotLoop(size_t steps, int32_t* sink) {
  typename V::Sums sums[12];
#pragma GCC unroll 12
  for (int i = 0; i < 12; ++i) sums[i] = V::Set(i);
  int8_t bytes[4 * V::kLanes];
  for (int8_t& b : bytes) b = 1;
  const typename V::Quads x = V::Prepare(V::Load(bytes));
  const typename V::Weights w = V::Broadcast(bytes);
  for (size_t s = 0; s < steps; ++s) {
#pragma GCC unroll 12
    for (int i = 0; i < 12; ++i) V::Dot(sums[i], x, w);
  }
  const typename V::Output out(Requantization{0, -128, 127});
  typename V::Sums last[12];  // (in memory; the loop's are in registers)
#pragma GCC unroll 12
  for (int i = 0; i < 12; ++i) last[i] = sums[i];
#pragma GCC unroll 1
  for (int i = 0; i < 12; ++i) {
    int8_t first[4 * V::kLanes];
    const typename V::Ints y = V::Requantize(last[i], V::SetScale(1.0f), out);
    V::Store(first, V::Pack(y, y, y, y, out));
    *sink += first[0];
  }
  return 4.0 * V::kLanes * 12 * static_cast<double>(steps);
}

template <class V, int G, bool kTail, size_t... P>
BlockTiles Blocks(std::index_sequence<P...>) {
  if constexpr (kTail) {
    return {sizeof...(P),
            {&SpmmBlocks<V, G, static_cast<int>(P) + 1, 0>...},
            {&SpmmBlocks<V, G, static_cast<int>(P) + 1, 1>...}};
  } else {
    return {sizeof...(P), {&SpmmBlocks<V, G, static_cast<int>(P) + 1, 0>...}, {}};
  }
}

template <class V, int G, bool kToPanel>
ColumnTiles Columns() {
  constexpr bool kTail = V::kLanes > kTailPixels;
  return {&SpmmColumnsWide<V, G, kToPanel>, &SpmmColumnsNarrow<V, G, kToPanel>,
          kTail ? &SpmmColumnsNarrow<V128, G, kToPanel> : nullptr};
}

#if !defined(__wasm__)
template <class V, int G, bool kTail, size_t... P>
BlockTiles BlocksToFloats(std::index_sequence<P...>) {
  if constexpr (kTail) {
    return {sizeof...(P),
            {&SpmmBlocksToFloats<V, G, static_cast<int>(P) + 1, 0>...},
            {&SpmmBlocksToFloats<V, G, static_cast<int>(P) + 1, 1>...}};
  } else {
    return {sizeof...(P), {&SpmmBlocksToFloats<V, G, static_cast<int>(P) + 1, 0>...}, {}};
  }
}
#endif

template <class V, int G, int P>
void AddGroup(int index, Kernels* k) {
#if !defined(__wasm__)
  k->blocks_to_floats[index] = BlocksToFloats<V, G, (V::kLanes > 8)>(std::make_index_sequence<P>());
  constexpr bool kTail = V::kLanes > kTailPixels;
  k->columns_to_floats[index] = {&SpmmColumnsWideToFloats<V, G>, &SpmmColumnsNarrowToFloats<V, G>,
                                 kTail ? &SpmmColumnsNarrowToFloats<V128, G> : nullptr};
#endif
  k->blocks[index] = Blocks<V, G, (V::kLanes > 8)>(std::make_index_sequence<P>());
  k->columns[index][0] = Columns<V, G, false>();
  k->columns[index][1] = Columns<V, G, true>();
}

template <class V>
void AddDepthwise(DepthwiseFn (*table)[2]) {
  table[0][0] = &Depthwise<V, 3, 1>;
  table[0][1] = &Depthwise<V, 3, 2>;
  table[1][0] = &Depthwise<V, 5, 1>;
  table[1][1] = &Depthwise<V, 5, 2>;
}

// The widest tiles of blocks of 1, 2 and 4: sums, pixels and a weight fit the registers.
template <class V, class Narrow, int P1, int P2, int P4>
Kernels Collect(const char* isa, const Int8Cost& cost) {
  Kernels k = {};
  k.isa = isa;
  k.lanes = V::kLanes;
  k.input_offset = SBNN_INPUT_OFFSET;
  k.cost = cost;
  AddGroup<V, 1, P1>(0, &k);
  AddGroup<V, 2, P2>(1, &k);
  AddGroup<V, 4, P4>(2, &k);
  k.spmv = &Spmv<V>;
#if !defined(__wasm__)
  k.spmv_to_floats = &SpmvToFloats<V>;
  k.rounding = kRounding<V>;
#endif
  AddDepthwise<V>(k.depthwise);
  if constexpr (Narrow::kLanes < V::kLanes) AddDepthwise<Narrow>(k.depthwise_narrow);
  k.depthwise_any = &DepthwiseAny;
  k.shift_quads = &ShiftRows<Element4>;
  k.shift_bytes = &ShiftRows<uint8_t>;
  k.gather = &Gather;
  k.flat_to_quads = &FlatToQuads;
  k.quads_to_flat = &QuadsToFlat;
  k.flat_to_panel = &FlatToPanel;
  k.panel_to_flat = &PanelToFlat;
  k.quads_to_panel = &QuadsToPanel;
  k.panel_to_quads = &PanelToQuads;
  k.elementwise = kElementwise<V>;
  k.dot_loop = &DotLoop<V>;
  return k;
}

}  // namespace
}  // namespace SBNN_ISA
}  // namespace int8
}  // namespace sbnn
