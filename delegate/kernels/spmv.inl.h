// Sparse matrix x one vector (fully connected, or a 1x1 convolution of one pixel): the G outputs of
// a group are the vector. Four columns run side by side to hide the latency of the FMA.
#include "delegate/kernels/kernels.h"
#include "delegate/kernels/vec.h"

namespace sbnn {
namespace SBNN_ISA {
namespace {

template <int G>
void Spmv(const SpmvArgs& args) {
  constexpr int kChains = 4;
  const Element* const x = AsElements(args.x);
  const Element* const bias = AsElements(args.bias);
  Element* const y = AsElements(args.y);
  for (uint32_t g = args.first_group; g < args.end_group; ++g) {
    const uint32_t first = args.group_begin[g];
    const uint16_t* column = args.columns + first;
    uint32_t left = args.group_begin[g + 1] - first;
    const Element* w = AsElements(args.weights) + static_cast<size_t>(first) * G;
    Outputs<G> acc[kChains] = {};
    for (; left >= kChains; left -= kChains, column += kChains, w += kChains * G) {
#pragma GCC unroll 4
      for (int k = 0; k < kChains; ++k) acc[k].AddScaled(w + k * G, x[column[k]]);
    }
    for (; left > 0; --left, ++column, w += G) {
      acc[0].AddScaled(w, x[*column]);
    }
    acc[0].Add(acc[1]);
    acc[2].Add(acc[3]);
    acc[0].Add(acc[2]);
    for (int i = 0; i < G; ++i) {
      const size_t output = static_cast<size_t>(g) * G + i;
      y[output] = ClampOne(acc[0][i] + bias[output], args.lo, args.hi);
    }
  }
}

}  // namespace
}  // namespace SBNN_ISA
}  // namespace sbnn
