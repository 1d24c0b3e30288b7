#include "delegate/engine/ops/resize.h"

#include <algorithm>
#include <cmath>

namespace sbnn {

Status Resize::InferShape(const std::vector<Shape>& inputs, Shape* output) const {
  if (inputs[0].size() != 4) return Status::Error("expected 4 dimensions");
  int height = height_, width = width_;
  if (inputs.size() == 2) {
    if (inputs[1].size() != 2) return Status::Error("expected a height and a width");
    height = inputs[1][0];
    width = inputs[1][1];
  }
  if (height < 1 || width < 1) return Status::Error("a size that is not positive");
  const Images image = AsImages(inputs[0]);
  if (image.pixels() == 0 && image.n > 0 && image.c > 0) {
    return Status::Error("an image without pixels is resized");
  }
  *output = {inputs[0][0], height, width, inputs[0][3]};
  return Status();
}

// As TensorFlow Lite's reference kernels round: in single precision, step by step.
Resize::Axis Resize::Place(int in, int out) const {
  const bool align = align_corners_ && out > 1;
  const float scale = align ? static_cast<float>(in - 1) / static_cast<float>(out - 1)
                            : static_cast<float>(in) / static_cast<float>(out);
  Axis axis;
  for (int i = 0; i < out; ++i) {
    const float at = static_cast<float>(i);
    if (bilinear_) {
      const float source = half_pixel_centers_ ? (at + 0.5f) * scale - 0.5f : at * scale;
      const int below = std::max(0, static_cast<int>(std::floor(source)));
      axis.first.push_back(std::min(below, in - 1));
      axis.second.push_back(std::min(std::max(0, static_cast<int>(std::ceil(source))), in - 1));
      axis.share.push_back(source - static_cast<float>(below));
    } else {
      const float source = (half_pixel_centers_ ? at + 0.5f : at) * scale;
      const int nearest =
          static_cast<int>(align_corners_ ? std::round(source) : std::floor(source));
      axis.first.push_back(std::max(0, std::min(nearest, in - 1)));
    }
  }
  return axis;
}

Status Resize::Plan(const std::vector<const Tensor*>& inputs, const Tensor& output,
                    const PlanContext& context, uint64_t* scratch) {
  const Images in = inputs[0]->images(), out = output.images();
  rows_ = Place(in.h, out.h);
  columns_ = Place(in.w, out.w);
  *scratch = bilinear_ ? uint64_t{sizeof(float)} * in.w * context.threads : 0;
  return Status();
}

template <typename T>
void Resize::RunNearest(const Tensor& input, const Tensor& output,
                        const RunContext& context) const {
  const Images in = input.images(), out = output.images();
  context.team.Run(out.n * out.c, [&](int task, int) {
    const auto* const x = static_cast<const T*>(input.At(task / out.c, task % out.c));
    auto* y = static_cast<T*>(output.At(task / out.c, task % out.c));
    for (int row = 0; row < out.h; ++row, y += out.w) {
      const T* const from = x + static_cast<size_t>(rows_.first[row]) * in.w;
      for (int i = 0; i < out.w; ++i) y[i] = from[columns_.first[i]];
    }
  });
}

void Resize::Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
                 const RunContext& context) const {
  const Tensor& input = *inputs[0];
  if (!bilinear_ && output.type == ElementType::kInt8) {
    return RunNearest<int8_t>(input, output, context);
  }
  if (!bilinear_) return RunNearest<float>(input, output, context);
  const Images in = input.images(), out = output.images();
  context.team.Run(out.n * out.c, [&](int task, int worker) {
    const float* const x = input.Plane(task / out.c, task % out.c);
    float* y = output.Plane(task / out.c, task % out.c);
    auto* const between = static_cast<float*>(context.ScratchOf(worker, in.w * sizeof(float)));
    for (int row = 0; row < out.h; ++row, y += out.w) {
      const float* const top = x + static_cast<size_t>(rows_.first[row]) * in.w;
      // One row between two of the input, then its pixels.
      const float* const bottom = x + static_cast<size_t>(rows_.second[row]) * in.w;
      const float share = rows_.share[row];
      for (int i = 0; i < in.w; ++i) between[i] = top[i] * (1 - share) + bottom[i] * share;
      for (int i = 0; i < out.w; ++i) {
        y[i] = between[columns_.first[i]] * (1 - columns_.share[i]) +
               between[columns_.second[i]] * columns_.share[i];
      }
    }
  });
}

}  // namespace sbnn
