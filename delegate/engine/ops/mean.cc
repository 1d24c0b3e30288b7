#include "delegate/engine/ops/mean.h"

#include <algorithm>

#include "delegate/engine/strided.h"

namespace sbnn {

Status Mean::InferShape(const std::vector<Shape>& inputs, Shape* output) const {
  const int rank = static_cast<int>(inputs[0].size());
  output->clear();
  size_t next = 0;
  for (int d = 0; d < rank; ++d) {
    const bool gone = next < axes_.size() && axes_[next] == d;
    if (gone) ++next;
    if (!gone || keep_dims_) output->push_back(gone ? 1 : inputs[0][d]);
  }
  if (next != axes_.size()) return Status::Error("no such dimensions");
  if (output->empty()) return Status::Error("a mean over everything");
  return Status();
}

// Whether it is one over the planes of a panel.
bool Mean::OverPixels(const Shape& input) const {
  return LayoutOf(input) == Layout::kPanel && axes_ == std::vector<int>{1, 2};
}

// Whether one row after another lies in memory that one mean after another is of.
bool Mean::OverRows(const Shape& input) const {
  const size_t kept = input.size() - axes_.size();
  return LayoutOf(input) == Layout::kFlat && (axes_.empty() || axes_[0] == static_cast<int>(kept));
}

TypeUse Mean::UseOf(ElementType type, const std::vector<Shape>& inputs) const {
  return IsFloat(type) && OverPixels(inputs[0]) ? TypeUse::kIfGiven : TypeUse::kNever;
}

Status Mean::Plan(const std::vector<const Tensor*>& inputs, const Tensor& output,
                  const PlanContext&, uint64_t* scratch) {
  *scratch = OverPixels(inputs[0]->shape) || OverRows(inputs[0]->shape)
                 ? 0
                 : (ElementCount(inputs[0]->shape) + ElementCount(output.shape)) * sizeof(float);
  return Status();
}

size_t Mean::CopyAsRows(const Tensor& input, void* rows, const RunContext& context) const {
  const Strides strides = StridesOf(input);
  Shape order;
  Strides x;
  size_t count = 1;
  for (bool summed : {false, true}) {
    for (int d = 0; d < static_cast<int>(input.shape.size()); ++d) {
      if (std::binary_search(axes_.begin(), axes_.end(), d) != summed) continue;
      order.push_back(input.shape[d]);
      x.push_back(strides[d]);
      if (summed) count *= static_cast<size_t>(input.shape[d]);
    }
  }
  CopyStrided(order, input.data, x, rows, RowMajorStrides(order), input.type, context.kernels,
              context.team);
  return count;
}

void Mean::Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
               const RunContext& context) const {
  const Tensor& input = *inputs[0];
  const Images image = input.images();
  if (OverPixels(input.shape)) {
    const float scale = 1.0f / static_cast<float>(image.pixels());
    constexpr int kChannels = 64;  // of a task
    const int tasks = (image.c + kChannels - 1) / kChannels;
    context.team.Run(image.n * tasks, [&](int task, int) {
      const int n = task / tasks, first = task % tasks * kChannels;
      for (int c = first; c < std::min(image.c, first + kChannels); ++c) {
        output.Set(static_cast<size_t>(n) * image.c + c,
                   context.kernels.sum(input.At(n, c), image.pixels()) * scale);
      }
    });
    return;
  }
  const size_t results = ElementCount(output.shape);
  if (OverRows(input.shape)) {
    const size_t count = ElementCount(input.shape) / results;
    const float scale = 1.0f / static_cast<float>(count);
    for (size_t r = 0; r < results; ++r) {
      output.floats()[r] = context.kernels.sum(input.floats() + r * count, count) * scale;
    }
    return;
  }
  float* const rows = context.float_scratch();
  const size_t count = CopyAsRows(input, rows, context);
  float* const means = rows + results * count;
  const float scale = 1.0f / static_cast<float>(count);
  for (size_t r = 0; r < results; ++r) {
    means[r] = context.kernels.sum(rows + r * count, count) * scale;
  }
  CopyStrided(output.shape, means, RowMajorStrides(output.shape), output.floats(),
              StridesOf(output), ElementType::kFloat32, context.kernels, context.team);
}

}  // namespace sbnn
