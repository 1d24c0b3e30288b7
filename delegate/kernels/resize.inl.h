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

void ResizeBilinear(const ResizeArgs& a) {
  constexpr int L = Vec::kLanes;
  const float* const end = a.y + static_cast<size_t>(a.rows) * a.out_w;
  const size_t stride = a.in_w + kMaxLanes;
  // Some rows at a time: what was just stored can't be loaded at other offsets without a wait.
  for (int first = 0; first < a.rows; first += kResizedRows) {
    const int rows = a.rows - first < kResizedRows ? a.rows - first : kResizedRows;
    for (int r = 0; r < rows; ++r) {
      const float* const upper = a.x + static_cast<size_t>(a.upper[first + r]) * a.in_w;
      const float* const lower = a.x + static_cast<size_t>(a.lower[first + r]) * a.in_w;
      float* const between = a.between + r * stride;
      const Vec down = Set(a.down[first + r]);
      for (int i = 0; i < a.in_w; i += L) {
        const Vec from = Load(upper + i);
        Store(between + i, Fma(down, Sub(Load(lower + i), from), from));
      }
    }
    for (int r = 0; r < rows; ++r) {
      const float* const between = a.between + r * stride;
      ResizeRow(a, first + r, end, [&](int i) {
        const Vec from = Gather(between, a.left + i);
        return Fma(Load(a.across + i), Sub(Gather(between, a.right + i), from), from);
      });
    }
  }
}

void Resize(const ResizeArgs& a) {
  if (a.lower != nullptr) return ResizeBilinear(a);
  const float* const end = a.y + static_cast<size_t>(a.rows) * a.out_w;
  for (int row = 0; row < a.rows; ++row) {
    const float* const from = a.x + static_cast<size_t>(a.upper[row]) * a.in_w;
    ResizeRow(a, row, end, [&](int i) { return Gather(from, a.left + i); });
  }
}

}  // namespace
}  // namespace SBNN_ISA
}  // namespace sbnn
