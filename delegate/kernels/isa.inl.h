// Collects the kernels of one instruction set. Included once by each of avx512.cc, avx2.cc,
// neon.cc, neon_fp16.cc and scalar.cc, after the header of its vectors.
#include <utility>

#include "delegate/kernels/depthwise.inl.h"
#include "delegate/kernels/depthwise_taps.inl.h"
#include "delegate/kernels/depthwise_side_by_side.inl.h"
#include "delegate/kernels/vec/vec.h"
#if defined(SBNN_VECTOR_HALVES)
#include "delegate/kernels/depthwise_two_channels.inl.h"
#endif
#include "delegate/kernels/elementwise.inl.h"
#include "delegate/kernels/move.inl.h"
#include "delegate/kernels/pool.inl.h"
#include "delegate/kernels/spmm.inl.h"
#include "delegate/kernels/spmm_unstructured.inl.h"
#include "delegate/kernels/spmv.inl.h"
#include "delegate/kernels/table.h"
#if defined(SBNN_FP16)
#include "delegate/kernels/fp16.inl.h"
#else
#include "delegate/kernels/resize.inl.h"
#include "delegate/kernels/softmax.inl.h"
#include "delegate/kernels/unary.inl.h"
#endif

namespace sbnn {
namespace SBNN_ISA {
namespace {

template <int G, int T, size_t... P>
SpmmTiles Tiles(std::index_sequence<P...>) {
  return {T, sizeof...(P), {&Spmm<G, static_cast<int>(P) + 1, T>...}};
}

// The most vectors that fit the registers beside a tail, 0 where one more vector of pixels costs no
// more than the tail. A narrow FMA takes as long as a wide one, but half as long as a 512-bit one.
template <int G, int P, int T>
constexpr int WidestWithTail() {
  constexpr int L = Vec::kLanes;
  constexpr int kColumn = G > L ? G / L : 1;  // registers of G outputs
  constexpr int kCost = L == 16 ? T * kColumn / 2 : T * kColumn;
  if (G < 4 || T >= L || kCost >= G) return 0;
  constexpr int kOthers = kMemoryOperands ? 0 : 2;
  constexpr int kFit = (kRegisters - kOthers - (T + 1) * kColumn) / (G + 1);
  return kFit < P ? kFit : P;
}

template <int G, int P>
void AddGroup(int index, Kernels* k) {
  SpmmTiles* const tiles = k->spmm[index];
  tiles[0] = Tiles<G, 0>(std::make_index_sequence<P>());
  tiles[1] = Tiles<G, kTails[0]>(std::make_index_sequence<WidestWithTail<G, P, kTails[0]>()>());
  tiles[2] = Tiles<G, kTails[1]>(std::make_index_sequence<WidestWithTail<G, P, kTails[1]>()>());
  if constexpr (G == 1) {
    k->spmv[index] = &SpmvOne;
  } else {
    k->spmv[index] = &Spmv<G>;
  }
}

template <int T, size_t... P>
SpmmTiles UnstructuredTiles(std::index_sequence<P...>) {
  return {T, sizeof...(P), {&SpmmUnstructured<static_cast<int>(P) + 1, T>...}};
}

// A tail costs half as much as a vector where these are long, and else as much.
template <int P>
void AddUnstructured(Kernels* k) {
  using Vectors = std::make_index_sequence<P>;
  using WithTail = std::make_index_sequence<Vec::kLanes == 16 ? P : 0>;
  SpmmTiles* const tiles = k->spmm[kUnstructuredKind];
  tiles[0] = UnstructuredTiles<0>(Vectors());
  tiles[1] = UnstructuredTiles<kTails[0]>(WithTail());
  tiles[2] = UnstructuredTiles<kTails[1]>(WithTail());
  k->spmm_unstructured_pixel = &SpmmUnstructuredPixel;
}

template <int K, int S>
DepthwiseDirectFn DirectKernel() {
  if constexpr (Vec::kSideBySide == 2) return &DepthwiseSideBySide<K, S>;
  return &DepthwiseDirect<K, S>;
}

// The widest tiles for groups of 1, 2, 4 and 8 and for unstructured weights: accumulators, pixels
// and a weight fit the registers.
template <int P1, int P2, int P4, int P8, int kUnstructured>
Kernels Collect(const ColumnCost& cost) {
  Kernels k = {};
  k.isa = SBNN_ISA_NAME;
  k.lanes = Vec::kLanes;
  k.type = sizeof(Element) == 2 ? ElementType::kFloat16 : ElementType::kFloat32;
  k.column_cost = cost;
  AddGroup<1, P1>(0, &k);
  AddGroup<2, P2>(1, &k);
  AddGroup<4, P4>(2, &k);
  AddGroup<8, P8>(3, &k);
  AddUnstructured<kUnstructured>(&k);
  k.scale_columns = &ScaleColumns;
  k.depthwise = &Depthwise;
  k.depthwise_direct[0][0] = DirectKernel<3, 1>();
  k.depthwise_direct[0][1] = DirectKernel<3, 2>();
  k.depthwise_direct[1][0] = DirectKernel<5, 1>();
  k.depthwise_direct[1][1] = DirectKernel<5, 2>();
#if defined(SBNN_VECTOR_HALVES)
  k.depthwise_two_channels[0][0] = &DepthwiseTwoChannels<3, 1>;
  k.depthwise_two_channels[0][1] = &DepthwiseTwoChannels<3, 2>;
  k.depthwise_two_channels[1][0] = &DepthwiseTwoChannels<5, 1>;
  k.depthwise_two_channels[1][1] = &DepthwiseTwoChannels<5, 2>;
#endif
  k.depthwise_taps = &DepthwiseTaps;
  k.pad_row = &PadRow;
  k.shift_rows = &ShiftRows;
  k.pool = &Pool;
  k.pool_direct[0] = &PoolDirect<2, 2>;
  k.pool_direct[1] = &PoolDirect<3, 1>;
  k.pool_direct[2] = &PoolDirect<3, 2>;
  k.clamp = &Clamp;
  k.binary = &Binary;
  k.unary = &Unary;
  k.sum = &Sum;
  k.transpose = &Transpose;
  k.fma_loop = &FmaLoop;
#if defined(SBNN_FP16)
  k.narrow = &NarrowAll;
  k.widen = &WidenAll;
#else
  k.softmax_rows = &SoftmaxRows;
  k.softmax_columns = &SoftmaxColumns;
  k.resize = &Resize;
#endif
  return k;
}

}  // namespace
}  // namespace SBNN_ISA
}  // namespace sbnn
