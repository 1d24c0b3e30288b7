#include "delegate/engine/strided.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "delegate/kernels/int8/table.h"

namespace sbnn {
namespace {

void TransposeRows(const float* x, size_t x_stride, float* y, size_t y_stride, size_t rows,
                   size_t columns, const Kernels& kernels) {
  kernels.transpose({x, x_stride, y, y_stride, rows, columns});
}
void TransposeRows(const int8_t* x, size_t x_stride, int8_t* y, size_t y_stride, size_t rows,
                   size_t columns, const Kernels& kernels) {
  int8::KernelsOf(kernels.isa)
      ->flat_to_panel({x, x_stride, y, y_stride, rows, static_cast<int>(columns)});
}

}  // namespace

StridedCopy::StridedCopy(const Shape& shape, const Strides& x, const Strides& y)
    : empty_(ElementCount(shape) == 0) {
  if (empty_) return;
  // The dimensions of more than one element, y's smallest stride last; those that are one on both
  // sides are joined.
  std::vector<Dimension> sorted;
  for (size_t d = 0; d < shape.size(); ++d) {
    if (shape[d] != 1) sorted.push_back({static_cast<size_t>(shape[d]), x[d], y[d]});
  }
  std::stable_sort(sorted.begin(), sorted.end(), [](const Dimension& a, const Dimension& b) {
    return std::abs(a.y) > std::abs(b.y);
  });
  for (const Dimension& d : sorted) {
    const auto steps = static_cast<ptrdiff_t>(d.size);
    if (!outer_.empty() && outer_.back().x == d.x * steps && outer_.back().y == d.y * steps) {
      outer_.back() = {outer_.back().size * d.size, d.x, d.y};
    } else {
      outer_.push_back(d);
    }
  }
  if (!outer_.empty()) {
    row_ = outer_.back();
    outer_.pop_back();
  }
  const auto column = std::find_if(outer_.begin(), outer_.end(),
                                   [](const Dimension& d) { return d.x == 1 && d.y > 0; });
  if (row_.y == 1 && row_.x > 1 && column != outer_.end()) {
    transpose_ = true;
    column_ = *column;
    outer_.erase(column);
  }
  for (const Dimension& d : outer_) rows_ *= d.size;
}

// Elements [first, first + count) of the row, with all of the column, starting at these.
template <typename T>
void StridedCopy::CopyRow(const T* x, T* y, size_t first, size_t count,
                          const Kernels& kernels) const {
  x += static_cast<ptrdiff_t>(first) * row_.x;
  y += static_cast<ptrdiff_t>(first) * row_.y;
  if (transpose_) {
    TransposeRows(x, static_cast<size_t>(row_.x), y, static_cast<size_t>(column_.y), count,
                  column_.size, kernels);
  } else if (row_.x == 1 && row_.y == 1) {
    std::memcpy(y, x, count * sizeof(T));
  } else if (row_.x == 0 && row_.y == 1) {
    std::fill(y, y + count, *x);
  } else {
    for (size_t i = 0; i < count; ++i, x += row_.x, y += row_.y) *y = *x;
  }
}

template <typename T>
void StridedCopy::Copy(const T* x, T* y, const Kernels& kernels, Team& team) const {
  // A task is a stretch of a row, or several rows.
  constexpr size_t kElements = 16384;
  const size_t stretch = std::max<size_t>(16, kElements / column_.size / 16 * 16);
  const size_t stretches = (row_.size + stretch - 1) / stretch;
  const size_t rows_of_task =
      stretches > 1 ? 1 : std::max<size_t>(1, stretch / std::max<size_t>(1, row_.size));
  const size_t row_tasks = (rows_ + rows_of_task - 1) / rows_of_task;
  team.Run(static_cast<int>(row_tasks * stretches), [&](int task, int) {
    const size_t first = task % stretches * stretch;
    const size_t count = std::min(stretch, row_.size - first);
    const size_t begin = task / stretches * rows_of_task;
    const size_t end = std::min(rows_, begin + rows_of_task);
    std::vector<size_t> at(outer_.size());
    const T* from = x;
    T* to = y;
    for (size_t d = outer_.size(), rest = begin; d-- > 0; rest /= outer_[d].size) {
      at[d] = rest % outer_[d].size;
      from += static_cast<ptrdiff_t>(at[d]) * outer_[d].x;
      to += static_cast<ptrdiff_t>(at[d]) * outer_[d].y;
    }
    for (size_t row = begin; row < end; ++row) {
      CopyRow(from, to, first, count, kernels);
      for (size_t d = outer_.size(); d-- > 0;) {
        from += outer_[d].x;
        to += outer_[d].y;
        if (++at[d] < outer_[d].size) break;
        from -= static_cast<ptrdiff_t>(at[d]) * outer_[d].x;
        to -= static_cast<ptrdiff_t>(at[d]) * outer_[d].y;
        at[d] = 0;
      }
    }
  });
}

void StridedCopy::Run(const void* x, void* y, ElementType type, const Kernels& kernels,
                      Team& team) const {
  if (empty_) return;
  if (type == ElementType::kInt8) {
    Copy(static_cast<const int8_t*>(x), static_cast<int8_t*>(y), kernels, team);
  } else {
    Copy(static_cast<const float*>(x), static_cast<float*>(y), kernels, team);
  }
}

Strides RowMajorStrides(const Shape& shape) {
  Strides strides(shape.size());
  ptrdiff_t stride = 1;
  for (size_t d = shape.size(); d-- > 0; stride *= shape[d]) strides[d] = stride;
  return strides;
}

Strides ExchangedStrides(const Shape& shape, const std::vector<int>& order) {
  Shape lying(shape.size());
  for (size_t d = 0; d < order.size(); ++d) lying[order[d]] = shape[d];
  const Strides strides = RowMajorStrides(lying);
  Strides exchanged;
  for (int d : order) exchanged.push_back(strides[d]);
  return exchanged;
}

Strides StridesOf(const Tensor& t) {
  if (t.layout == Layout::kFlat) return RowMajorStrides(t.shape);
  return {static_cast<ptrdiff_t>(t.image_stride), t.shape[2], 1,
          static_cast<ptrdiff_t>(t.plane_stride)};
}

void CopyStrided(const Shape& shape, const void* x, const Strides& x_strides, void* y,
                 const Strides& y_strides, ElementType type, const Kernels& kernels, Team& team) {
  StridedCopy(shape, x_strides, y_strides).Run(x, y, type, kernels, team);
}

}  // namespace sbnn
