#include "delegate/engine/ops/clamp.h"

#include "delegate/engine/flat_range.h"

namespace sbnn {

Status Clamp::InferShape(const std::vector<Shape>& inputs, Shape* output) const {
  *output = inputs[0];
  return Status();
}

bool Clamp::AsEpilogue(const std::vector<Shape>&, Epilogue* epilogue) const {
  epilogue->lo = lo_;
  epilogue->hi = hi_;
  return true;
}

void Clamp::Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
                const RunContext& context) const {
  ForEachRange(output, context.team, [&](size_t first, size_t count) {
    context.kernels.clamp({inputs[0]->From(first), output.From(first), count, lo_, hi_});
  });
}

}  // namespace sbnn
