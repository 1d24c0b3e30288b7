// Element-wise work on tensors of one shape, without looking at their layout.
#ifndef SBNN_DELEGATE_ENGINE_FLAT_RANGE_H_
#define SBNN_DELEGATE_ENGINE_FLAT_RANGE_H_

#include <algorithm>
#include <cstddef>

#include "delegate/engine/tensor.h"
#include "delegate/engine/thread_pool.h"

namespace sbnn {

// Calls fn(first, count) from the team's threads so that all floats of a tensor are covered. Of a
// panel, that is with the room behind each plane: nobody looks at it, whatever is written there.
template <typename Fn>
void ForEachRange(const Tensor& tensor, Team& team, const Fn& fn) {
  const size_t floats = tensor.image_stride * tensor.images().n;
  constexpr size_t kFloats = 8192;  // of a task
  team.Run(static_cast<int>((floats + kFloats - 1) / kFloats), [&](int task, int) {
    const size_t first = task * kFloats;
    fn(first, std::min(kFloats, floats - first));
  });
}

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_FLAT_RANGE_H_
