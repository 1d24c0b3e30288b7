#include "delegate/engine/ops/activation.h"

#include "delegate/engine/flat_range.h"

namespace sbnn {

Status Activation::InferShape(const std::vector<Shape>& inputs, Shape* output) const {
  *output = inputs[0];
  return Status();
}

bool Activation::AsEpilogue(const std::vector<Shape>&, Epilogue* epilogue) const {
  epilogue->activates = true;
  epilogue->activation = kind_;
  epilogue->alpha = alpha_;
  return true;
}

void Activation::Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
                     const RunContext& context) const {
  ForEachRange(output, context.team, [&](size_t first, size_t count) {
    context.kernels.unary(kind_,
                          {inputs[0]->From(first), output.From(first), count, 1, count, alpha_});
  });
}

}  // namespace sbnn
