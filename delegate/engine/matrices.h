// Products of matrices that both change from run to run.
#ifndef SBNN_DELEGATE_ENGINE_MATRICES_H_
#define SBNN_DELEGATE_ENGINE_MATRICES_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "delegate/engine/matrix.h"
#include "delegate/engine/strided.h"
#include "delegate/engine/tensor.h"
#include "delegate/engine/thread_pool.h"
#include "delegate/kernels/table.h"

namespace sbnn {

// The matrices in the last two dimensions of a tensor of floats, one for each index of the others.
struct Matrices {
  size_t rows, columns;
  ptrdiff_t row_stride, column_stride;
  Shape batch;
  Strides batch_strides;  // 0 where a dimension is repeated

  // Of a tensor of this shape; fewer leading dimensions than `matrices`, or such of 1, are
  // repeated. `transposed`: the last two dimensions are columns and rows.
  Matrices(const Shape& shape, const Strides& strides, const Shape& matrices, bool transposed);
  Matrices() = default;

  void Transpose();
  size_t count() const { return ElementCount(batch); }
  ptrdiff_t First(size_t n) const;  // element of matrix n
};

// The dimensions before the last two, of both broadcast. False: they do not go together.
bool BroadcastBatch(const Shape& a, const Shape& b, Shape* batch);

// How the rows of the left factors of products are shared out: as tiles, each product as so many
// tasks as keep the threads busy.
struct ProductTasks {
  std::vector<Tile> tiles;
  size_t stride = 0;  // of a panel that holds any of them, in whole vectors
  int products = 0, parts = 1;

  Status Plan(size_t rows, size_t count, const Kernels& kernels, int threads);

  // Calls fn(product, tiles, end of tiles, worker).
  template <typename Fn>
  void Run(Team& team, const Fn& fn) const {
    const int count = static_cast<int>(tiles.size());
    team.Run(products * parts, [&](int task, int worker) {
      const int part = task % parts;
      fn(task / parts, &tiles[0] + count * part / parts, &tiles[0] + count * (part + 1) / parts,
         worker);
    });
  }
};

// a [rows, depth] times b [depth, columns], some rows at a time. The columns become the outputs of
// dense weights, packed when it runs, and the rows of `a` the pixels of a panel.
class MatrixProduct {
 public:
  // x_stride: between the channels of the panel that RunTile reads.
  Status Plan(size_t depth, size_t columns, size_t x_stride, const Kernels& kernels);

  size_t packed_count() const { return depth_ * outputs(); }    // elements of packed columns
  size_t outputs() const { return RoundUp(columns_, group_); }  // columns in whole groups

  void Pack(const float* b, ptrdiff_t row_stride, ptrdiff_t column_stride, float* packed,
            const Kernels& kernels) const;
  // x: [depth][x_stride], y: [outputs()][y_stride]; of each as many pixels as the tile has.
  void RunTile(const Tile& tile, const float* x, const float* packed, float* y,
               size_t y_stride) const {
    RunTile(tile, x, packed, y, y_stride, depth_, columns_);
  }
  // As if x had so many channels, and y; the latter in whole groups.
  void RunTile(const Tile& tile, const float* x, const float* packed, float* y, size_t y_stride,
               size_t depth, size_t columns) const;

 private:
  size_t depth_ = 0, columns_ = 0;
  int group_ = 1;
  // (All groups have the same columns, so that one list of offsets serves.)
  std::vector<int32_t> offset_bytes_;
};

// Rows [first, first + count) of a matrix as the pixels of a panel, a channel each column; and
// back. `columns`: so many of them.
void RowsToPanel(const float* matrix, const Matrices& of, size_t first, size_t count,
                 size_t columns, float* panel, size_t stride, const Kernels& kernels);
inline void RowsToPanel(const float* matrix, const Matrices& of, size_t first, size_t count,
                        float* panel, size_t stride, const Kernels& kernels) {
  RowsToPanel(matrix, of, first, count, of.columns, panel, stride, kernels);
}
void PanelToRows(const float* panel, size_t stride, const Matrices& of, size_t first, size_t count,
                 float* matrix, const Kernels& kernels);

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_MATRICES_H_
