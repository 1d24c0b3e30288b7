// Resizing a plane of floats: pixels that lie between others, or the nearest ones.
#include "delegate/kernels/depthwise.inl.h"
#include "delegate/kernels/kernels.h"
#include "delegate/kernels/vec/vec.h"

namespace sbnn {
namespace SBNN_ISA {
namespace {

// row[columns[i]], lane by lane; columns do not decrease.
SBNN_INLINE Vec Gather(const float* row, const int32_t* columns) {
  constexpr int L = Vec::kLanes;
  const int32_t first = columns[0];
  if (columns[L - 1] - first < L) return Permute(Load(row + first), columns, first);
  float lanes[L];
  for (int i = 0; i < L; ++i) lanes[i] = row[columns[i]];
  return Load(lanes);
}

// One row of the output after the other; each is at(first pixel of a vector).
template <typename At>
SBNN_INLINE void ResizeRow(const ResizeArgs& a, int row, const float* end, const At& at) {
  float* const y = a.y + static_cast<size_t>(row) * a.out_w;
  for (int i = 0; i < a.out_w; i += Vec::kLanes) StorePixels(y + i, at(i), a.out_w - i, end);
}

void Resize(const ResizeArgs& a) {
  constexpr int L = Vec::kLanes;
  const float* const end = a.y + static_cast<size_t>(a.rows) * a.out_w;
  for (int row = 0; row < a.rows; ++row) {
    const float* const upper = a.x + static_cast<size_t>(a.upper[row]) * a.in_w;
    if (a.lower == nullptr) {
      ResizeRow(a, row, end, [&](int i) { return Gather(upper, a.left + i); });
      continue;
    }
    const float* const lower = a.x + static_cast<size_t>(a.lower[row]) * a.in_w;
    const Vec down = Set(a.down[row]);
    for (int i = 0; i < a.in_w; i += L) {
      const Vec from = Load(upper + i);
      Store(a.between + i, Fma(down, Sub(Load(lower + i), from), from));
    }
    ResizeRow(a, row, end, [&](int i) {
      const Vec from = Gather(a.between, a.left + i);
      return Fma(Load(a.across + i), Sub(Gather(a.between, a.right + i), from), from);
    });
  }
}

}  // namespace
}  // namespace SBNN_ISA
}  // namespace sbnn
