// Elements of a tensor by strides, whatever its layout, and moving boxes of them.
#ifndef SBNN_DELEGATE_ENGINE_STRIDED_H_
#define SBNN_DELEGATE_ENGINE_STRIDED_H_

#include <cstddef>
#include <vector>

#include "delegate/engine/tensor.h"
#include "delegate/engine/thread_pool.h"
#include "delegate/kernels/table.h"

namespace sbnn {

// Elements from one to the next, for each dimension.
using Strides = std::vector<ptrdiff_t>;

Strides RowMajorStrides(const Shape& shape);
// Of what lies row-major with its dimensions exchanged: dimension d of `shape` is its dimension
// order[d].
Strides ExchangedStrides(const Shape& shape, const std::vector<int>& order);
Strides StridesOf(const Tensor& tensor);  // flat, or a panel

// y[i] = x[i] for all i in a box of this shape. Strides may be negative, those of x also 0. Rows
// that are contiguous on both sides are copied whole, rows of one that are columns of the other are
// transposed.
class StridedCopy {
 public:
  StridedCopy() = default;
  StridedCopy(const Shape& shape, const Strides& x, const Strides& y);

  // x and y point at the element of index 0, are of the type, float32 or int8, and do not overlap.
  void Run(const void* x, void* y, ElementType type, const Kernels& kernels, Team& team) const;

 private:
  struct Dimension {
    size_t size;
    ptrdiff_t x, y;
  };
  template <typename T>
  void Copy(const T* x, T* y, const Kernels& kernels, Team& team) const;
  template <typename T>
  void CopyRow(const T* x, T* y, size_t first, size_t count, const Kernels& kernels) const;

  bool empty_ = true;
  Dimension row_{1, 1, 1};     // along y
  Dimension column_{1, 1, 1};  // along x, where that is another dimension
  bool transpose_ = false;
  std::vector<Dimension> outer_;
  size_t rows_ = 1;
};

// The same at once, without a plan.
void CopyStrided(const Shape& shape, const void* x, const Strides& x_strides, void* y,
                 const Strides& y_strides, ElementType type, const Kernels& kernels, Team& team);

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_STRIDED_H_
