#include "delegate/engine/ops/int8/convolution.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

namespace sbnn {

Int8Convolution::Int8Convolution(std::shared_ptr<const Int8Weights> weights, const Window& window,
                                 QuantizedLimits limits)
    : weights_(std::move(weights)), window_(window), limits_(limits) {}

Status Int8Convolution::InferShape(const std::vector<Shape>& inputs, Shape* output) const {
  if (inputs[0].size() != 4) return Status::Error("a convolution reads 4 dimensions");
  const Images image = AsImages(inputs[0]);
  if (image.c != weights_->inputs) {
    return Status::Error("a filter of " + std::to_string(weights_->inputs) +
                         " input channels meets " + std::to_string(image.c));
  }
  PlacedWindow placed;
  const Status status = Place(window_, image, &placed);
  if (!status.ok()) return status;
  *output = {image.n, placed.out_h, placed.out_w, weights_->outputs};
  return Status();
}

bool Int8Convolution::AbsorbMargin(const Margin& margin) {
  window_.margin += margin;
  return true;
}

LayoutUse Int8Convolution::Reads(Layout layout, const std::vector<Shape>&) const {
  const Layout own = weights_->columns != 0 ? Layout::kPanel : Layout::kQuads;
  return layout == own ? LayoutUse::kPrefers : LayoutUse::kCannot;
}

LayoutUse Int8Convolution::Writes(Layout layout, const std::vector<Shape>&) const {
  if (layout == Layout::kQuads) return LayoutUse::kPrefers;
  return weights_->columns != 0 && layout == Layout::kPanel ? LayoutUse::kPrefers
                                                            : LayoutUse::kCannot;
}

bool Int8Convolution::Pointwise(const Images& image) const {
  const Margin& m = window_.margin;
  return window_.kernel_h == 1 && window_.kernel_w == 1 &&
         (window_.stride_h == 1 || image.h == 1) && (window_.stride_w == 1 || image.w == 1) &&
         m.top == 0 && m.bottom == 0 && m.left == 0 && m.right == 0;
}

Status Int8Convolution::PlanOffsets(const Tensor& input, bool pointwise) {
  // One pixel is laid out as both quads and panels are.
  const int pixel = weights_->columns != 0 ? 1 : kQuad;
  const uint64_t unit = !pointwise                      ? lowered_.unit_stride()
                        : input.layout == Layout::kFlat ? static_cast<uint64_t>(pixel)
                                                        : input.plane_stride;
  return ProductOffsets(*weights_, unit, pointwise ? nullptr : &lowered_, &offset_);
}

// An input or output of one pixel is flat: it is copied to where it has the room that kernels need.
Status Int8Convolution::Plan(const std::vector<const Tensor*>& inputs, const Tensor& output,
                             const PlanContext& context, uint64_t* scratch) {
  const Tensor& input = *inputs[0];
  const Images in = input.images();
  kernels_ = int8::KernelsOf(context.kernels.isa);
  to_ = {output.quantization.zero_point, limits_.lo, limits_.hi};
  const Int8Results results =
      output.layout == Layout::kPanel ? Int8Results::kPanel : Int8Results::kQuads;
  const bool pointwise = Pointwise(in);
  if (pointwise) {
    grid_ = Int8Grid(*weights_, in.pixels(), *kernels_, results, context.threads);
    *scratch = input.layout == Layout::kFlat ? RoundUp(in.c + int8::kSlack, kVectorBytes) : 0;
  } else {
    PlacedWindow placed;
    Status status = Place(window_, in, &placed);
    if (!status.ok()) return status;
    Tensor image(input.shape, weights_->columns != 0 ? Layout::kPanel : Layout::kQuads,
                 ElementType::kInt8);
    lowered_.Plan(window_, placed, image);
    const int threads = lowered_.bands() > 1 ? 1 : context.threads;
    const int last = placed.out_h - (lowered_.bands() - 1) * lowered_.band_rows();
    const size_t width = static_cast<size_t>(placed.out_w);
    grid_ = Int8Grid(*weights_, lowered_.band_rows() * width, *kernels_, results, threads);
    last_grid_ = Int8Grid(*weights_, last * width, *kernels_, results, threads);
    *scratch = lowered_.bytes() * (lowered_.bands() > 1 ? context.threads : 1);
    if (input.layout == Layout::kFlat) *scratch += image.allocation();
  }
  if (output.layout == Layout::kFlat) *scratch += RoundUp(weights_->lanes(), kVectorBytes);
  return PlanOffsets(input, pointwise);
}

int8::SpmmArgs Int8Convolution::Args(const int8_t* x, const Tensor& output, int n, size_t pixel,
                                     int8_t* flat) const {
  int8::SpmmArgs args = ProductArgs(*weights_, offset_, to_);
  args.x = x;
  if (output.layout == Layout::kFlat) {
    args.y = flat;
    args.y_stride = kQuad;
  } else {
    args.y = output.bytes(n, 0, pixel * (output.layout == Layout::kPanel ? 1 : kQuad));
    args.y_stride = output.plane_stride;
  }
  return args;
}

void Int8Convolution::Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
                          const RunContext& context) const {
  if (Pointwise(inputs[0]->images())) {
    RunPointwise(*inputs[0], output, context);
  } else {
    RunBands(*inputs[0], output, context);
  }
}

void Int8Convolution::RunPointwise(const Tensor& input, const Tensor& output,
                                   const RunContext& context) const {
  const Images in = input.images();
  auto* const pixel = static_cast<int8_t*>(context.scratch);
  int8_t* const flat = pixel + RoundUp(in.c + int8::kSlack, kVectorBytes);
  if (input.layout != Layout::kFlat) {
    context.team.Run(in.n * grid_.tasks(), [&](int task, int) {
      const int n = task / grid_.tasks();
      grid_.RunTask(task % grid_.tasks(), Args(input.bytes(n, 0), output, n, 0, nullptr));
    });
    return;
  }
  for (int n = 0; n < in.n; ++n) {
    std::memcpy(pixel, input.bytes(n, 0), in.c);
    context.team.Run(grid_.tasks(),
                     [&](int task, int) { grid_.RunTask(task, Args(pixel, output, n, 0, flat)); });
    // (The phases of a transposed convolution of one pixel are quads.)
    if (output.layout == Layout::kFlat) {
      std::memcpy(output.bytes(n, 0), flat, weights_->outputs);
    }
  }
}

void Int8Convolution::RunBands(const Tensor& input, const Tensor& output,
                               const RunContext& context) const {
  const Images in = input.images(), out = output.images();
  const int bands = lowered_.bands();
  auto* const base = static_cast<int8_t*>(context.scratch);
  int8_t* behind = base + lowered_.bytes() * (bands > 1 ? context.team.size() : 1);
  // One pixel as an image of its own.
  Tensor image = input;
  if (input.layout == Layout::kFlat) {
    image = Tensor(input.shape, weights_->columns != 0 ? Layout::kPanel : Layout::kQuads,
                   ElementType::kInt8);
    image.quantization = input.quantization;
    image.data = behind;
    behind += image.allocation();
    // (What has no pixel is flat as well: the windows meet nothing but padding.)
    for (int n = 0; n < in.n && in.pixels() != 0; ++n) {
      for (int c = 0; c < in.c; ++c) {
        const int together = image.layout == Layout::kQuads ? kQuad : 1;
        *image.bytes(n, c / together, c % together) = *input.bytes(n, c);
      }
    }
  }
  int8_t* const flat = behind;
  const auto args = [&](const int8_t* x, int n, int band) {
    const size_t pixel = static_cast<size_t>(band) * lowered_.band_rows() * out.w;
    return Args(x, output, n, pixel, flat);
  };
  if (bands > 1) {
    context.team.Run(in.n * bands, [&](int task, int worker) {
      int8_t* const lowered = base + worker * lowered_.bytes();
      const int n = task / bands, band = task % bands, first = band * lowered_.band_rows();
      const int rows = std::min(lowered_.band_rows(), out.h - first);
      for (int unit = 0; unit < lowered_.units(); ++unit) {
        lowered_.Fill(image, n, unit, first, rows, lowered, *kernels_);
      }
      const Int8Grid& grid = band == bands - 1 ? last_grid_ : grid_;
      for (int i = 0; i < grid.tasks(); ++i) grid.RunTask(i, args(lowered, n, band));
    });
    return;
  }
  for (int n = 0; n < in.n; ++n) {
    context.team.Run(lowered_.units(), [&](int unit, int) {
      lowered_.Fill(image, n, unit, 0, out.h, base, *kernels_);
    });
    context.team.Run(grid_.tasks(), [&](int task, int) { grid_.RunTask(task, args(base, n, 0)); });
    if (output.layout == Layout::kFlat) {
      std::memcpy(output.bytes(n, 0), flat, weights_->outputs);
    }
  }
}

std::vector<Range> Int8Convolution::Constants() const {
  return {RangeOf(weights_->weights.begin(), weights_->weights.end()),
          RangeOf(offset_.data(), offset_.data() + offset_.size())};
}

}  // namespace sbnn
