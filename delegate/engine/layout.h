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

// Of an image of int8, whatever the two layouts are.
void ChangeLayout(const Tensor& from, const Tensor& to, const Kernels& kernels, Team& team);

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_LAYOUT_H_
