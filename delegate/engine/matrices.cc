#include "delegate/engine/matrices.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <string>
#include <utility>

namespace sbnn {
namespace {

// The group whose weights cost the least, where none are zeros.
int DenseGroup(const Kernels& kernels) {
  const auto cost = [&](int g) { return kernels.column_cost.of[GroupIndex(g)] / g; };
  return *std::min_element(kGroupSizes.begin(), kGroupSizes.end(),
                           [&](int a, int b) { return cost(a) < cost(b); });
}

// y[c][r] = x[r][c], where x has any strides and the rows of y lie y_stride apart.
void CopyTransposed(const float* x, ptrdiff_t row_stride, ptrdiff_t column_stride, size_t rows,
                    size_t columns, float* y, size_t y_stride, const Kernels& kernels) {
  if (column_stride == 1) {
    kernels.transpose({x, static_cast<size_t>(row_stride), y, y_stride, rows, columns});
    return;
  }
  for (size_t c = 0; c < columns; ++c, x += column_stride, y += y_stride) {
    if (row_stride == 1) {
      std::memcpy(y, x, rows * sizeof(float));
    } else {
      for (size_t r = 0; r < rows; ++r) y[r] = x[static_cast<ptrdiff_t>(r) * row_stride];
    }
  }
}

}  // namespace

Matrices::Matrices(const Shape& shape, const Strides& strides, const Shape& matrices,
                   bool transposed)
    : rows(shape[shape.size() - 2]),
      columns(shape[shape.size() - 1]),
      row_stride(strides[shape.size() - 2]),
      column_stride(strides[shape.size() - 1]),
      batch(matrices) {
  const size_t missing = batch.size() + 2 - shape.size();
  for (size_t d = 0; d < batch.size(); ++d) {
    const bool repeated = d < missing || shape[d - missing] == 1;
    batch_strides.push_back(repeated ? 0 : strides[d - missing]);
  }
  if (transposed) Transpose();
}

void Matrices::Transpose() {
  std::swap(rows, columns);
  std::swap(row_stride, column_stride);
}

ptrdiff_t Matrices::First(size_t n) const {
  ptrdiff_t element = 0;
  for (size_t d = batch.size(); d-- > 0; n /= batch[d]) {
    element += static_cast<ptrdiff_t>(n % batch[d]) * batch_strides[d];
  }
  return element;
}

bool BroadcastBatch(const Shape& a, const Shape& b, Shape* batch) {
  const Shape& longer = a.size() >= b.size() ? a : b;
  const Shape& shorter = a.size() >= b.size() ? b : a;
  if (shorter.size() < 2) return false;
  batch->assign(longer.begin(), longer.end() - 2);
  const size_t missing = longer.size() - shorter.size();
  for (size_t d = missing; d < batch->size(); ++d) {
    int& size = (*batch)[d];
    const int other = shorter[d - missing];
    if (size != other && size != 1 && other != 1) return false;
    if (size == 1) size = other;
  }
  return true;
}

Status ProductTasks::Plan(size_t rows, size_t count, const Kernels& kernels, int threads) {
  tiles = SplitPixels(kernels, GroupIndex(DenseGroup(kernels)), rows, 1);
  if (uint64_t{count} * tiles.size() > std::numeric_limits<int>::max()) {
    return Status::Error(std::to_string(count) + " matrices");
  }
  stride = 0;
  for (const Tile& t : tiles) stride = std::max<size_t>(stride, RoundUp(t.width, kernels.lanes));
  products = static_cast<int>(count);
  constexpr int kTasksPerThread = 4;
  const int wanted = threads > 1 ? kTasksPerThread * threads / products : 1;
  parts = std::clamp(wanted, 1, static_cast<int>(tiles.size()));
  return Status();
}

Status MatrixProduct::Plan(size_t depth, size_t columns, size_t x_stride, const Kernels& kernels) {
  depth_ = depth;
  columns_ = columns;
  group_ = DenseGroup(kernels);
  if (uint64_t{depth} * x_stride * sizeof(float) > std::numeric_limits<int32_t>::max()) {
    return Status::Error("matrices of more than 2 GiB");
  }
  offset_bytes_.resize(depth);
  for (size_t k = 0; k < depth; ++k) {
    offset_bytes_[k] = static_cast<int32_t>(k * x_stride * sizeof(float));
  }
  return Status();
}

void MatrixProduct::Pack(const float* b, ptrdiff_t row_stride, ptrdiff_t column_stride,
                         float* packed, const Kernels& kernels) const {
  const size_t group = static_cast<size_t>(group_);
  for (size_t c = 0; c < columns_; c += group, packed += depth_ * group) {
    const size_t count = std::min(group, columns_ - c);
    const float* const x = b + static_cast<ptrdiff_t>(c) * column_stride;
    if (count < group) std::fill(packed, packed + depth_ * group, 0.0f);
    if (row_stride == 1) {
      CopyTransposed(x, column_stride, 1, count, depth_, packed, group, kernels);
      continue;
    }
    for (size_t k = 0; k < depth_; ++k) {
      const float* const from = x + static_cast<ptrdiff_t>(k) * row_stride;
      float* const to = packed + k * group;
      if (column_stride == 1 && count == 4) {
        std::memcpy(to, from, 4 * sizeof(float));  // one instruction
      } else {
        for (size_t i = 0; i < count; ++i) to[i] = from[static_cast<ptrdiff_t>(i) * column_stride];
      }
    }
  }
}

void MatrixProduct::RunTile(const Tile& tile, const float* x, const float* packed, float* y,
                            size_t y_stride, size_t depth, size_t columns) const {
  static constexpr float kNoBias[kMaxGroup] = {};
  const uint32_t group_begin[] = {0, static_cast<uint32_t>(depth)};
  SpmmArgs args = {};
  args.x = x;
  args.y_stride = y_stride;
  args.group_begin = group_begin;
  args.offset_bytes = offset_bytes_.data();
  args.bias = kNoBias;
  args.end_group = 1;
  args.lo = -std::numeric_limits<float>::infinity();
  args.hi = std::numeric_limits<float>::infinity();
  const size_t group = static_cast<size_t>(group_);
  for (size_t c = 0; c < columns; c += group) {
    args.weights = packed + c * depth_;
    args.y = y + c * y_stride;
    tile.spmm(args);
  }
}

void RowsToPanel(const float* matrix, const Matrices& of, size_t first, size_t count,
                 size_t columns, float* panel, size_t stride, const Kernels& kernels) {
  CopyTransposed(matrix + static_cast<ptrdiff_t>(first) * of.row_stride, of.row_stride,
                 of.column_stride, count, columns, panel, stride, kernels);
}

void PanelToRows(const float* panel, size_t stride, const Matrices& of, size_t first, size_t count,
                 float* matrix, const Kernels& kernels) {
  float* y = matrix + static_cast<ptrdiff_t>(first) * of.row_stride;
  if (of.column_stride == 1) {
    kernels.transpose({panel, stride, y, static_cast<size_t>(of.row_stride), of.columns, count});
    return;
  }
  for (size_t c = 0; c < of.columns; ++c, panel += stride, y += of.column_stride) {
    if (of.row_stride == 1) {
      std::memcpy(y, panel, count * sizeof(float));
    } else {
      for (size_t r = 0; r < count; ++r) y[static_cast<ptrdiff_t>(r) * of.row_stride] = panel[r];
    }
  }
}

}  // namespace sbnn
