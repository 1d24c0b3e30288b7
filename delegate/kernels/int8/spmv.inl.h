// Sparse matrix x one pixel, int8: four outputs by four inputs fill a vector of 128 bits. Four
// steps at a time, since a sum waits for the one before.
#include "delegate/kernels/int8/kernels.h"

namespace sbnn {
namespace int8 {
namespace SBNN_ISA {
namespace {

void Spmv(const SpmvArgs& args) {
  const V128::Output out(args.to);
  const auto add = [&args](V128::Sums& sums, uint32_t step) {
    const V128::Quads x = V128::Prepare(V128::LoadOne(args.x + 4 * args.blocks[step]));
    V128::Dot(sums, x, V128::Repeat(args.weights + size_t{16} * step));
  };
  for (uint32_t quad = args.first_quad; quad < args.end_quad; ++quad) {
    uint32_t step = args.group_begin[quad];
    const uint32_t end = args.group_begin[quad + 1];
    V128::Sums sums[4] = {V128::SetFour(args.bias + 4 * quad), V128::Set(0), V128::Set(0),
                          V128::Set(0)};
    for (; end - step >= 4; step += 4) {
      __builtin_prefetch(args.weights + size_t{16} * step + 1024);
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i) add(sums[i], step + i);
    }
    for (; step < end; ++step) add(sums[0], step);
    const V128::Sums sum = V128::Add(V128::Add(sums[0], sums[1]), V128::Add(sums[2], sums[3]));
    const V128::Ints y = V128::Requantize(sum, V128::SetFourScales(args.scale + 4 * quad), out);
    V128::StoreOne(args.y + 4 * quad, V128::Pack(y, y, y, y, out));
  }
}

}  // namespace
}  // namespace SBNN_ISA
}  // namespace int8
}  // namespace sbnn
