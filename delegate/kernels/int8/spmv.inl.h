// Sparse matrix x one pixel, int8: four outputs by four inputs fill a quarter of a vector.
#include "delegate/kernels/int8/kernels.h"

namespace sbnn {
namespace int8 {
namespace SBNN_ISA {
namespace {

// A vector takes as many steps as it has quarters, and two vectors are in flight, since a sum waits
// for the one before.
template <class V>
SBNN_INLINE V128::Sums AddSteps(const SpmvArgs& args, uint32_t quad, const int32_t* start) {
  constexpr uint32_t kSteps = V::kLanes / 4;
  uint32_t step = args.group_begin[quad];
  const uint32_t end = args.group_begin[quad + 1];
  const auto add = [&args](typename V::Sums& sums, uint32_t first) {
    const typename V::Quads x = V::Prepare(V::SpreadQuads(args.x, args.blocks + first));
    V::Dot(sums, x, V::LoadWeights(args.weights + size_t{16} * first));
  };
  typename V::Sums even = V::Set(0), odd = V::Set(0);
  for (; end - step >= 2 * kSteps; step += 2 * kSteps) {
    // (Lines of 64 bytes.)
    constexpr uint32_t kBytes = 2 * kSteps * 16;
    const int8_t* const ahead = args.weights + size_t{16} * step + 1024;
    for (uint32_t line = 0; line < kBytes; line += 64) __builtin_prefetch(ahead + line);
    add(even, step);
    add(odd, step + kSteps);
  }
  V128::Sums sum = V128::SetFour(start);
  for (; step < end; ++step) {
    const V128::Quads x = V128::Prepare(V128::LoadOne(args.x + 4 * args.blocks[step]));
    V128::Dot(sum, x, V128::Repeat(args.weights + size_t{16} * step));
  }
  return V128::Add(sum, V128::Add(V::AddQuarters(even), V::AddQuarters(odd)));
}

template <class V>
void Spmv(const SpmvArgs& args) {
  const V128::Output out(args.to);
  for (uint32_t quad = args.first_quad; quad < args.end_quad; ++quad) {
    const V128::Sums sum = AddSteps<V>(args, quad, args.bias + 4 * quad);
    const V128::Ints y = V128::Requantize(sum, V128::SetFourScales(args.scale + 4 * quad), out);
    V128::StoreOne(args.y + 4 * quad, V128::Pack(y, y, y, y, out));
  }
}

}  // namespace
}  // namespace SBNN_ISA
}  // namespace int8
}  // namespace sbnn
