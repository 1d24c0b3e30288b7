// Between the outside's layout and panels.
#ifndef SBNN_DELEGATE_ENGINE_LAYOUT_H_
#define SBNN_DELEGATE_ENGINE_LAYOUT_H_

#include "delegate/engine/tensor.h"
#include "delegate/engine/thread_pool.h"
#include "delegate/kernels/table.h"

namespace sbnn {

void FlatToPanel(const float* flat, const Tensor& panel, const Kernels& kernels, Team& team);
void PanelToFlat(const Tensor& panel, float* flat, const Kernels& kernels, Team& team);

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_LAYOUT_H_
