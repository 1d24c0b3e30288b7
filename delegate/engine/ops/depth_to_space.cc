#include "delegate/engine/ops/depth_to_space.h"

#include <algorithm>
#include <cstdint>
#include <string>

#include "delegate/engine/strided.h"

namespace sbnn {
namespace {

// The elements of both tensors in the order image, row, row in the block, column, column in the
// block, channel.
struct Blocks {
  Shape shape;
  Strides deep, wide;

  Blocks(const Tensor& deep_tensor, const Tensor& wide_tensor, int block) {
    const Images image = deep_tensor.images();
    const int channels = wide_tensor.images().c;
    const Strides d = StridesOf(deep_tensor), w = StridesOf(wide_tensor);
    shape = {image.n, image.h, block, image.w, block, channels};
    deep = {d[0], d[1], block * channels * d[3], d[2], channels * d[3], d[3]};
    wide = {w[0], block * w[1], w[1], block * w[2], w[2], w[3]};
  }
};

}  // namespace

Status DepthToSpace::InferShape(const std::vector<Shape>& inputs, Shape* output) const {
  if (inputs[0].size() != 4) return Status::Error("expected 4 dimensions");
  const Images image = AsImages(inputs[0]);
  const int64_t block = block_;
  if (block < 1 || block > UINT16_MAX || image.c % (block * block) != 0 ||
      block * image.h > INT32_MAX || block * image.w > INT32_MAX) {
    return Status::Error("blocks of " + std::to_string(block) + " do not divide the channels");
  }
  *output = {image.n, image.h * block_, image.w * block_, image.c / (block_ * block_)};
  return Status();
}

void DepthToSpace::Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
                       const RunContext& context) const {
  const Blocks b(*inputs[0], output, block_);
  CopyStrided(b.shape, inputs[0]->data, b.deep, output.data, b.wide, output.type, context.kernels,
              context.team);
}

Status SpaceToDepth::InferShape(const std::vector<Shape>& inputs, Shape* output) const {
  if (inputs[0].size() != 4) return Status::Error("expected 4 dimensions");
  const Images image = AsImages(inputs[0]);
  if (block_ < 1 || image.h % block_ != 0 || image.w % block_ != 0 ||
      int64_t{block_} * block_ > INT32_MAX / std::max(1, image.c)) {
    return Status::Error("blocks of " + std::to_string(block_) + " do not divide the image");
  }
  *output = {image.n, image.h / block_, image.w / block_, image.c * block_ * block_};
  return Status();
}

void SpaceToDepth::Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
                       const RunContext& context) const {
  const Blocks b(output, *inputs[0], block_);
  CopyStrided(b.shape, inputs[0]->data, b.wide, output.data, b.deep, output.type, context.kernels,
              context.team);
}

}  // namespace sbnn
