#include "delegate/engine/ops/int8/dynamic_convolution.h"

#include <algorithm>
#include <string>
#include <utility>

namespace sbnn {

DynamicConvolution::DynamicConvolution(std::shared_ptr<const Int8Weights> weights,
                                       DynamicOutputs outputs, const Window& window, bool by_pixel)
    : weights_(std::move(weights)),
      outputs_(std::move(outputs)),
      window_(window),
      by_pixel_(by_pixel) {}

Status DynamicConvolution::InferShape(const std::vector<Shape>& inputs, Shape* output) const {
  if (inputs[0].size() != 4) return Status::Error("a convolution reads 4 dimensions");
  const Images image = AsImages(inputs[0]);
  if (image.c != weights_->inputs) {
    return Status::Error("a filter of " + std::to_string(weights_->inputs) +
                         " input channels meets " + std::to_string(image.c));
  }
  PlacedWindow placed;
  const Status status = sbnn::Place(window_, image, &placed);
  if (!status.ok()) return status;
  *output = {image.n, placed.out_h, placed.out_w, weights_->outputs};
  return Status();
}

// (Zeros are part of every range: a whole image's stays what it is.)
bool DynamicConvolution::AbsorbMargin(const Margin& margin) {
  if (by_pixel_) return false;
  window_.margin += margin;
  return true;
}

bool DynamicConvolution::Pointwise(const Images& image) const {
  const Margin& m = window_.margin;
  return window_.kernel_h == 1 && window_.kernel_w == 1 &&
         (window_.stride_h == 1 || image.h == 1) && (window_.stride_w == 1 || image.w == 1) &&
         m.top == 0 && m.bottom == 0 && m.left == 0 && m.right == 0;
}

Status DynamicConvolution::PlanOffsets(const Tensor& rounded, bool pointwise) {
  const uint64_t unit = pointwise ? rounded.plane_stride : lowered_.unit_stride();
  return ProductOffsets(*weights_, unit, pointwise ? nullptr : &lowered_, &offset_);
}

// The scratch: the rounded image, then bands of it, then an output of one pixel, with the room that
// kernels need.
Status DynamicConvolution::Plan(const std::vector<const Tensor*>& inputs, const Tensor& output,
                                const PlanContext& context, uint64_t* scratch) {
  const Tensor& input = *inputs[0];
  const Images in = input.images();
  kernels_ = int8::KernelsOf(context.kernels.isa);
  rounded_.Plan(input, weights_->columns != 0 ? Layout::kPanel : Layout::kQuads, by_pixel_);
  const Tensor rounded = rounded_.Place(nullptr);
  const bool pointwise = Pointwise(in);
  lowered_at_ = pixel_at_ = rounded_.bytes();
  const auto grid = [&](size_t pixels, int threads) {
    return Int8Grid(*weights_, pixels, *kernels_, Int8Results::kFloats, threads);
  };
  if (pointwise) {
    grid_ = grid(in.pixels(), context.threads);
  } else {
    PlacedWindow placed;
    const Status status = sbnn::Place(window_, in, &placed);
    if (!status.ok()) return status;
    lowered_.Plan(window_, placed, rounded);
    const int threads = lowered_.bands() > 1 ? 1 : context.threads;
    const int last = placed.out_h - (lowered_.bands() - 1) * lowered_.band_rows();
    const size_t width = static_cast<size_t>(placed.out_w);
    grid_ = grid(lowered_.band_rows() * width, threads);
    last_grid_ = grid(last * width, threads);
    pixel_at_ += lowered_.bytes() * (lowered_.bands() > 1 ? context.threads : 1);
  }
  *scratch = pixel_at_;
  if (output.layout == Layout::kFlat) *scratch += uint64_t{kVectorBytes} * weights_->lanes();
  return PlanOffsets(rounded, pointwise);
}

void DynamicConvolution::RunProduct(const Int8Grid& grid, int8::SpmmArgs args, Team& team) const {
  team.Run(grid.tasks(), [&](int task, int) { grid.RunTask(task, args, !by_pixel_); });
}

void DynamicConvolution::Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
                             const RunContext& context) const {
  const Images in = inputs[0]->images(), out = output.images();
  auto* const lowered = static_cast<int8_t*>(context.ScratchOf(1, lowered_at_));
  auto* const pixel = static_cast<float*>(context.ScratchOf(1, pixel_at_));
  const bool flat = output.layout == Layout::kFlat, pointwise = Pointwise(in);
  const int bands = pointwise ? 1 : lowered_.bands();
  for (int n = 0; n < in.n; ++n) {
    const Tensor image = rounded_.Round(*inputs[0], n, context.scratch, *kernels_, context.team);
    const auto args = [&](const int8_t* x, int band) {
      const size_t first = static_cast<size_t>(band) * lowered_.band_rows() * out.w;
      int8::SpmmArgs product = ProductArgs(*weights_, offset_, {});
      product.x = x;
      product.floats = outputs_.To(
          flat ? pixel : output.Plane(n, 0) + first, flat ? kMaxLanes : output.plane_stride,
          rounded_.zero_points(context.scratch), rounded_.scales(context.scratch));
      return product;
    };
    if (pointwise) {
      RunProduct(grid_, args(image.bytes(0, 0), 0), context.team);
    } else if (bands == 1) {
      context.team.Run(lowered_.units(), [&](int unit, int) {
        lowered_.Fill(image, 0, unit, 0, out.h, lowered, *kernels_);
      });
      RunProduct(grid_, args(lowered, 0), context.team);
    } else {
      context.team.Run(bands, [&](int band, int worker) {
        int8_t* const own = lowered + worker * lowered_.bytes();
        const int first = band * lowered_.band_rows();
        const int rows = std::min(lowered_.band_rows(), out.h - first);
        for (int unit = 0; unit < lowered_.units(); ++unit) {
          lowered_.Fill(image, 0, unit, first, rows, own, *kernels_);
        }
        const Int8Grid& grid = band == bands - 1 ? last_grid_ : grid_;
        for (int i = 0; i < grid.tasks(); ++i) grid.RunTask(i, args(own, band), !by_pixel_);
      });
    }
    if (!flat || out.pixels() == 0) continue;
    for (int c = 0; c < out.c; ++c) *output.Plane(n, c) = pixel[static_cast<size_t>(c) * kMaxLanes];
  }
}

std::string DynamicConvolution::Remark() const {
  return by_pixel_ ? "inputs rounded to int8 by pixels" : "inputs rounded to int8 by images";
}

std::vector<Range> DynamicConvolution::Constants() const {
  return {RangeOf(weights_->weights.begin(), weights_->weights.end()),
          RangeOf(offset_.data(), offset_.data() + offset_.size())};
}

}  // namespace sbnn
