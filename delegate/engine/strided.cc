#include "delegate/engine/strided.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "delegate/kernels/int8/table.h"

namespace sbnn {
namespace {

struct Dimension {
  size_t size;
  ptrdiff_t x, y;
};

// The dimensions of more than one element, y's smallest stride last; those that are one on both
// sides are joined.
std::vector<Dimension> Simplify(const Shape& shape, const Strides& x, const Strides& y) {
  std::vector<Dimension> sorted, joined;
  for (size_t d = 0; d < shape.size(); ++d) {
    if (shape[d] != 1) sorted.push_back({static_cast<size_t>(shape[d]), x[d], y[d]});
  }
  std::stable_sort(sorted.begin(), sorted.end(), [](const Dimension& a, const Dimension& b) {
    return std::abs(a.y) > std::abs(b.y);
  });
  for (const Dimension& d : sorted) {
    const auto steps = static_cast<ptrdiff_t>(d.size);
    if (!joined.empty() && joined.back().x == d.x * steps && joined.back().y == d.y * steps) {
      joined.back() = {joined.back().size * d.size, d.x, d.y};
    } else {
      joined.push_back(d);
    }
  }
  return joined;
}

void TransposeRows(const float* x, size_t x_stride, float* y, size_t y_stride, size_t rows,
                   size_t columns, const Kernels& kernels) {
  kernels.transpose({x, x_stride, y, y_stride, rows, columns});
}
void TransposeRows(const int8_t* x, size_t x_stride, int8_t* y, size_t y_stride, size_t rows,
                   size_t columns, const Kernels& kernels) {
  int8::KernelsOf(kernels.isa)
      ->flat_to_panel({x, x_stride, y, y_stride, rows, static_cast<int>(columns)});
}

// Moves the elements of one row, or of one row and column, starting at these.
template <typename T>
struct Mover {
  Dimension row{1, 1, 1};     // along y
  Dimension column{1, 1, 1};  // along x, where that is another dimension
  bool transpose = false;
  const Kernels* kernels;

  // Values [first, first + count) of the row, with all of the column.
  void operator()(const T* x, T* y, size_t first, size_t count) const {
    x += static_cast<ptrdiff_t>(first) * row.x;
    y += static_cast<ptrdiff_t>(first) * row.y;
    if (transpose) {
      TransposeRows(x, static_cast<size_t>(row.x), y, static_cast<size_t>(column.y), count,
                    column.size, *kernels);
    } else if (row.x == 1 && row.y == 1) {
      std::memcpy(y, x, count * sizeof(T));
    } else if (row.x == 0 && row.y == 1) {
      std::fill(y, y + count, *x);
    } else {
      for (size_t i = 0; i < count; ++i, x += row.x, y += row.y) *y = *x;
    }
  }
};

template <typename T>
void Copy(const Shape& shape, const T* x, const Strides& x_strides, T* y, const Strides& y_strides,
          const Kernels& kernels, Team& team) {
  std::vector<Dimension> outer = Simplify(shape, x_strides, y_strides);
  Mover<T> move;
  move.kernels = &kernels;
  if (!outer.empty()) {
    move.row = outer.back();
    outer.pop_back();
  }
  const auto column = std::find_if(outer.begin(), outer.end(),
                                   [](const Dimension& d) { return d.x == 1 && d.y > 0; });
  if (move.row.y == 1 && move.row.x > 1 && column != outer.end()) {
    move.transpose = true;
    move.column = *column;
    outer.erase(column);
  }

  // A task is a stretch of a row, or several rows.
  constexpr size_t kElements = 16384;
  const size_t stretch = std::max<size_t>(16, kElements / move.column.size / 16 * 16);
  const size_t stretches = (move.row.size + stretch - 1) / stretch;
  const size_t rows_of_task =
      stretches > 1 ? 1 : std::max<size_t>(1, stretch / std::max<size_t>(1, move.row.size));
  size_t rows = 1;
  for (const Dimension& d : outer) rows *= d.size;
  const size_t row_tasks = (rows + rows_of_task - 1) / rows_of_task;
  team.Run(static_cast<int>(row_tasks * stretches), [&](int task, int) {
    const size_t first = task % stretches * stretch;
    const size_t count = std::min(stretch, move.row.size - first);
    const size_t begin = task / stretches * rows_of_task;
    const size_t end = std::min(rows, begin + rows_of_task);
    std::vector<size_t> at(outer.size());
    const T* from = x;
    T* to = y;
    for (size_t d = outer.size(), rest = begin; d-- > 0; rest /= outer[d].size) {
      at[d] = rest % outer[d].size;
      from += static_cast<ptrdiff_t>(at[d]) * outer[d].x;
      to += static_cast<ptrdiff_t>(at[d]) * outer[d].y;
    }
    for (size_t row = begin; row < end; ++row) {
      move(from, to, first, count);
      for (size_t d = outer.size(); d-- > 0;) {
        from += outer[d].x;
        to += outer[d].y;
        if (++at[d] < outer[d].size) break;
        from -= static_cast<ptrdiff_t>(at[d]) * outer[d].x;
        to -= static_cast<ptrdiff_t>(at[d]) * outer[d].y;
        at[d] = 0;
      }
    }
  });
}

}  // namespace

Strides RowMajorStrides(const Shape& shape) {
  Strides strides(shape.size());
  ptrdiff_t stride = 1;
  for (size_t d = shape.size(); d-- > 0; stride *= shape[d]) strides[d] = stride;
  return strides;
}

Strides StridesOf(const Tensor& t) {
  if (t.layout == Layout::kFlat) return RowMajorStrides(t.shape);
  return {static_cast<ptrdiff_t>(t.image_stride), t.shape[2], 1,
          static_cast<ptrdiff_t>(t.plane_stride)};
}

void CopyStrided(const Shape& shape, const void* x, const Strides& x_strides, void* y,
                 const Strides& y_strides, ElementType type, const Kernels& kernels, Team& team) {
  if (ElementCount(shape) == 0) return;
  if (type == ElementType::kInt8) {
    Copy(shape, static_cast<const int8_t*>(x), x_strides, static_cast<int8_t*>(y), y_strides,
         kernels, team);
  } else {
    Copy(shape, static_cast<const float*>(x), x_strides, static_cast<float*>(y), y_strides, kernels,
         team);
  }
}

}  // namespace sbnn
