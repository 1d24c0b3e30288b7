#include "delegate/engine/ops/clamp.h"

#include <algorithm>

namespace sbnn {

Status Clamp::InferShape(const std::vector<Shape>& inputs, Shape* output) const {
  *output = inputs[0];
  return Status();
}

void Clamp::Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
                const RunContext& context) const {
  // Of a panel, the room behind each plane is clamped too: it is never looked at.
  const size_t count = output.image_stride * output.images().n;
  constexpr size_t kFloats = 8192;  // of a task
  const int tasks = static_cast<int>((count + kFloats - 1) / kFloats);
  context.team.Run(tasks, [&](int task, int) {
    const size_t first = task * kFloats;
    context.kernels.clamp({inputs[0]->data + first, output.data + first,
                           std::min(kFloats, count - first), lo_, hi_});
  });
}

}  // namespace sbnn
