#include "delegate/engine/rounded_image.h"

#include <algorithm>
#include <vector>

namespace sbnn {
namespace {

// Floats of the pixels that are rounded together: they stay in an L2 cache between finding their
// ranges and rounding them.
constexpr size_t kTogether = 1 << 16;
constexpr size_t kStep = 64;  // pixels

// The widest tile of a product, and what vectors read behind it.
constexpr size_t kTilePixels = (int8::kMaxTileVectors + 1) * kMaxLanes;

// Channels of a panel, or of a pixel that is flat, from pixel `first` on.
int8::RoundArgs Args(const Tensor& input, int n, const Tensor& image, size_t first, size_t count,
                     const float* scales, const int32_t* zero_points) {
  const bool flat = input.layout == Layout::kFlat;
  const int pixel = image.layout == Layout::kQuads ? 4 : 1;
  return {input.floats() + n * input.image_stride + (flat ? 0 : first),
          input.plane_stride,
          input.images().c,
          count,
          scales + first,
          zero_points + first,
          image.bytes(0, 0, first * pixel),
          image.plane_stride};
}

}  // namespace

void RoundedImage::Plan(const Tensor& input, Layout layout, bool by_pixel) {
  const Images in = input.images();
  image_ = Tensor({1, in.h, in.w, in.c}, layout, ElementType::kInt8);
  by_pixel_ = by_pixel;
  const uint64_t pixels = std::max<uint64_t>(in.pixels() + kMaxLanes, kTilePixels);
  array_bytes_ = RoundUp(pixels * sizeof(float), kVectorBytes);
  bytes_ = 3 * array_bytes_ + RoundUp(image_.allocation(), kVectorBytes);
}

Tensor RoundedImage::Place(void* scratch) const {
  Tensor image = image_;
  image.data = At<int8_t>(scratch, 3);
  return image;
}

Tensor RoundedImage::Round(const Tensor& input, int n, void* scratch, const int8::Kernels& kernels,
                           Team& team) const {
  Tensor image = Place(scratch);
  if (by_pixel_) {
    RoundPixels(input, n, image, scratch, kernels, team);
  } else {
    image.quantization.zero_point = RoundWhole(input, n, image, scratch, kernels, team);
  }
  return image;
}

void RoundedImage::RoundPixels(const Tensor& input, int n, const Tensor& image, void* scratch,
                               const int8::Kernels& kernels, Team& team) const {
  auto *const scales = At<float>(scratch, 0), *const back = At<float>(scratch, 1);
  auto* const zero_points = At<int32_t>(scratch, 2);
  const Images in = input.images();
  const size_t pixels = in.pixels(), depth = std::max(1, in.c);
  const size_t step = std::max(kStep, kTogether / depth / kStep * kStep);
  team.Run(static_cast<int>((pixels + step - 1) / step), [&](int task, int) {
    const size_t first = task * step, count = std::min(step, pixels - first);
    std::fill_n(scales + first, count, 0.0f);
    std::fill_n(back + first, count, 0.0f);
    const int8::RoundArgs args = Args(input, n, image, first, count, scales, zero_points);
    kernels.rounding.ranges(
        {args.x, args.x_stride, args.channels, count, scales + first, back + first});
    kernels.rounding.roundings(
        {scales + first, back + first, count, scales + first, back + first, zero_points + first});
    (image.layout == Layout::kQuads ? kernels.rounding.to_quads : kernels.rounding.to_panel)(args);
  });
}

int RoundedImage::RoundWhole(const Tensor& input, int n, const Tensor& image, void* scratch,
                             const int8::Kernels& kernels, Team& team) const {
  auto *const scales = At<float>(scratch, 0), *const back = At<float>(scratch, 1);
  auto* const zero_points = At<int32_t>(scratch, 2);
  const Images in = input.images();
  float least = 0, most = 0, scale, to_float;
  int32_t zero_point;
  RangeOfImage(input, n, kernels, team, &least, &most);
  kernels.rounding.roundings({&least, &most, 1, &scale, &to_float, &zero_point});
  const size_t count = array_bytes_ / sizeof(float);
  std::fill_n(scales, count, scale);
  std::fill_n(back, count, to_float);
  std::fill_n(zero_points, count, zero_point);
  const size_t pixels = in.pixels(), depth = std::max(1, in.c);
  const size_t step = std::max(kStep, kTogether / depth / kStep * kStep);
  team.Run(static_cast<int>((pixels + step - 1) / step), [&](int task, int) {
    const size_t first = task * step;
    (image.layout == Layout::kQuads ? kernels.rounding.to_quads : kernels.rounding.to_panel)(
        Args(input, n, image, first, std::min(step, pixels - first), scales, zero_points));
  });
  return zero_point - kernels.input_offset;
}

void RangeOfImage(const Tensor& input, int n, const int8::Kernels& kernels, Team& team,
                  float* least, float* most) {
  const Images in = input.images();
  if (input.layout == Layout::kFlat) {
    return kernels.rounding.range(input.floats() + n * input.image_stride, 0, 1, in.pixels() * in.c,
                                  least, most);
  }
  const int tasks = std::min(in.c, team.size());
  std::vector<float> low(tasks, *least), high(tasks, *most);
  team.Run(tasks, [&](int task, int) {
    const int first = static_cast<int>(int64_t{task} * in.c / tasks);
    const int end = static_cast<int>(int64_t{task + 1} * in.c / tasks);
    kernels.rounding.range(input.Plane(n, first), input.plane_stride,
                           static_cast<size_t>(end - first), in.pixels(), &low[task], &high[task]);
  });
  *least = *std::min_element(low.begin(), low.end());
  *most = *std::max_element(high.begin(), high.end());
}

}  // namespace sbnn
