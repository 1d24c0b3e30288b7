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
Strides StridesOf(const Tensor& tensor);  // flat, or a panel

// y[i] = x[i] for all i in a box of this shape. Strides may be negative, those of x also 0; x and y
// point at the element of index 0 and do not overlap. Rows that are contiguous on both sides are
// copied whole, rows of one that are columns of the other are transposed.
// They are of the type, float32 or int8.
void CopyStrided(const Shape& shape, const void* x, const Strides& x_strides, void* y,
                 const Strides& y_strides, ElementType type, const Kernels& kernels, Team& team);

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_STRIDED_H_
