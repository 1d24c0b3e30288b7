// Collects the kernels of one instruction set. Included once by each of avx512.cc, avx2.cc, neon.cc
// and scalar.cc, after SBNN_ISA and SBNN_ISA_NAME are defined.
#include <utility>

#include "delegate/kernels/depthwise.inl.h"
#include "delegate/kernels/elementwise.inl.h"
#include "delegate/kernels/move.inl.h"
#include "delegate/kernels/pool.inl.h"
#include "delegate/kernels/spmm.inl.h"
#include "delegate/kernels/spmv.inl.h"
#include "delegate/kernels/table.h"

namespace sbnn {
namespace SBNN_ISA {
namespace {

template <int G, size_t... P>
void AddSpmm(int index, std::index_sequence<P...>, Kernels* k) {
  k->tile_vectors[index] = sizeof...(P);
  ((k->spmm[index][P] = &Spmm<G, static_cast<int>(P) + 1>), ...);
}

// P1, P2, P4, P8: the widest tile for groups of 1, 2, 4 and 8, such that its G x P accumulators,
// the pixels and a weight fit the registers.
template <int P1, int P2, int P4, int P8>
Kernels Collect(float cost1, float cost2, float cost4, float cost8) {
  Kernels k = {};
  k.isa = SBNN_ISA_NAME;
  k.lanes = Vec::kLanes;
  k.column_cost.of[0] = cost1;
  k.column_cost.of[1] = cost2;
  k.column_cost.of[2] = cost4;
  k.column_cost.of[3] = cost8;
  AddSpmm<1>(0, std::make_index_sequence<P1>(), &k);
  AddSpmm<2>(1, std::make_index_sequence<P2>(), &k);
  AddSpmm<4>(2, std::make_index_sequence<P4>(), &k);
  AddSpmm<8>(3, std::make_index_sequence<P8>(), &k);
  k.spmv[0] = &Spmv<1>;
  k.spmv[1] = &Spmv<2>;
  k.spmv[2] = &Spmv<4>;
  k.spmv[3] = &Spmv<8>;
  k.depthwise = &Depthwise;
  k.depthwise_3x3[0] = &Depthwise3x3<1>;
  k.depthwise_3x3[1] = &Depthwise3x3<2>;
  k.pad_row = &PadRow;
  k.pool = &Pool;
  k.clamp = &Clamp;
  k.binary = &Binary;
  k.unary = &Unary;
  k.sum = &Sum;
  k.transpose = &Transpose;
  k.fma_loop = &FmaLoop;
  return k;
}

}  // namespace
}  // namespace SBNN_ISA
}  // namespace sbnn
