#include "delegate/engine/ops/relayout.h"

#include "delegate/engine/layout.h"

namespace sbnn {

Status Relayout::InferShape(const std::vector<Shape>& inputs, Shape* output) const {
  *output = inputs[0];
  return Status();
}

void Relayout::Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
                   const RunContext& context) const {
  ChangeLayout(*inputs[0], output, context.kernels, context.team);
}

}  // namespace sbnn
