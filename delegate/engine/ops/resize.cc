#include "delegate/engine/ops/resize.h"

#include <algorithm>
#include <cmath>

namespace sbnn {
namespace {

// Of rows between two rows, for one worker.
uint64_t BetweenBytes(const Images& in) {
  const uint64_t row = uint64_t{static_cast<unsigned>(in.w)} + kMaxLanes;
  return RoundUp(sizeof(float) * (kResizedRows * row + kMaxLanes), kVectorBytes);
}

}  // namespace

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
  // Kernels take whole vectors of columns.
  for (auto* of : {&columns_.first, &columns_.second}) {
    if (!of->empty()) of->resize(of->size() + kMaxLanes, of->back());
  }
  columns_.share.resize(columns_.share.size() + kMaxLanes);
  *scratch = bilinear_ ? BetweenBytes(in) * context.threads : 0;
  return Status();
}

void Resize::Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
                 const RunContext& context) const {
  if (output.type == ElementType::kInt8) {
    RunInt8(*inputs[0], output, context);
  } else {
    RunFloats(*inputs[0], output, context);
  }
}

void Resize::RunFloats(const Tensor& input, const Tensor& output, const RunContext& context) const {
  const Images in = input.images(), out = output.images();
  context.team.Run(out.n * out.c, [&](int task, int worker) {
    const float* const x = input.Plane(task / out.c, task % out.c);
    if (in.pixels() == 1) {  // which may lie in the caller's memory: no vector can be read
      std::fill_n(output.Plane(task / out.c, task % out.c), out.pixels(), *x);
      return;
    }
    ResizeArgs args{};
    args.x = x;
    args.in_w = in.w;
    args.y = output.Plane(task / out.c, task % out.c);
    args.rows = out.h;
    args.out_w = out.w;
    args.upper = rows_.first.data();
    args.left = columns_.first.data();
    if (bilinear_) {
      args.lower = rows_.second.data();
      args.down = rows_.share.data();
      args.right = columns_.second.data();
      args.across = columns_.share.data();
      args.between = static_cast<float*>(context.ScratchOf(worker, BetweenBytes(in)));
    }
    context.kernels.resize(args);
  });
}

void Resize::RunInt8(const Tensor& input, const Tensor& output, const RunContext& context) const {
  const Images in = input.images(), out = output.images();
  context.team.Run(out.n * out.c, [&](int task, int) {
    const auto* const x = static_cast<const int8_t*>(input.At(task / out.c, task % out.c));
    auto* y = static_cast<int8_t*>(output.At(task / out.c, task % out.c));
    for (int row = 0; row < out.h; ++row, y += out.w) {
      const int8_t* const from = x + static_cast<size_t>(rows_.first[row]) * in.w;
      for (int i = 0; i < out.w; ++i) y[i] = from[columns_.first[i]];
    }
  });
}

}  // namespace sbnn
