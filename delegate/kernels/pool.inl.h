// Maximum and average over windows, from padded rows of one channel.
#include "delegate/kernels/depthwise.inl.h"
#include "delegate/kernels/kernels.h"
#include "delegate/kernels/vec/vec.h"

namespace sbnn {
namespace SBNN_ISA {
namespace {

void Pool(const PoolArgs& a) {
  constexpr int L = Vec::kLanes;
  const Vec lo = Set(a.lo), hi = Set(a.hi);
  const Element* const row_scale = AsElements(a.row_scale);
  const Element* const column_scale = AsElements(a.column_scale);
  Element* const first = AsElements(a.y);
  const Element* const end = first + static_cast<size_t>(a.rows - 1) * a.y_row_stride + a.width;
  for (int row = 0; row < a.rows; ++row) {
    const Element* const x = AsElements(a.x) + static_cast<size_t>(row) * a.stride * a.x_row_stride;
    Element* const y = first + static_cast<size_t>(row) * a.y_row_stride;
    for (int x0 = 0; x0 < a.width; x0 += L) {
      Vec acc = Load(x + a.tap_offset[0] + x0);
      const int left = a.width - x0;
      if (column_scale == nullptr) {
        for (int t = 1; t < a.taps; ++t) acc = Max(acc, Load(x + a.tap_offset[t] + x0));
      } else {
        for (int t = 1; t < a.taps; ++t) acc = Add(acc, Load(x + a.tap_offset[t] + x0));
        const Vec scale = left >= L ? Load(column_scale + x0) : LoadFirst(column_scale + x0, left);
        acc = Mul(acc, Mul(scale, Set(row_scale[row])));
      }
      StorePixels(y + x0, Min(hi, Max(lo, acc)), left, end);
    }
  }
}

}  // namespace
}  // namespace SBNN_ISA
}  // namespace sbnn
