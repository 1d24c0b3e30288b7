// Between the outside's layout and the engine's.
#ifndef SBNN_DELEGATE_ENGINE_LAYOUT_H_
#define SBNN_DELEGATE_ENGINE_LAYOUT_H_

#include "delegate/engine/tensor.h"
#include "delegate/engine/thread_pool.h"
#include "delegate/engine/view.h"
#include "delegate/kernels/table.h"

namespace sbnn {

// Elements of the tensor's type, row-major, channels last, into the tensor's layout and back.
// Kernels are of the type, if that is a float.
void FromFlat(const void* flat, const Tensor& tensor, const Kernels& kernels, Team& team);
void ToFlat(const Tensor& tensor, void* flat, const Kernels& kernels, Team& team);

// The same from and to where whoever runs the network has it; uint8 becomes int8, and the way back.
void FromOutside(const ConstTensorView& view, const Tensor& tensor, const Kernels& kernels,
                 Team& team);
void ToOutside(const Tensor& tensor, const TensorView& view, const Kernels& kernels, Team& team);

// y[j][i] = x[i][j], of single bytes. Strides are between rows.
void TransposeBytes(const int8_t* x, size_t x_stride, int8_t* y, size_t y_stride, size_t rows,
                    size_t columns);

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_LAYOUT_H_
