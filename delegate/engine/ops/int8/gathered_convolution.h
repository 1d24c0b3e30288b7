// CONV_2D of int8 on an image of few channels, in the outside's layout: a network's first layer.
#ifndef SBNN_DELEGATE_ENGINE_OPS_INT8_GATHERED_CONVOLUTION_H_
#define SBNN_DELEGATE_ENGINE_OPS_INT8_GATHERED_CONVOLUTION_H_

#include <memory>
#include <vector>

#include "delegate/engine/int8_matrix.h"
#include "delegate/engine/op.h"
#include "delegate/engine/window.h"
#include "delegate/format/int8_weights.h"

namespace sbnn {

// The bytes of a window in the order in which four at a time become a quad: (row * kernel_w +
// column) * channels + channel. What lies side by side stays so; what is left of rows comes last.
std::vector<int> GatherOrder(int kernel_h, int kernel_w, int channels);

class Int8GatheredConvolution : public Op {
 public:
  // `weights`: one tap, and an input for each of GatherOrder, which is in its order.
  Int8GatheredConvolution(std::shared_ptr<const Int8Weights> weights, int channels,
                          const Window& window, QuantizedLimits limits);

  Status InferShape(const std::vector<Shape>& inputs, Shape* output) const override;
  TypeUse UseOf(ElementType type, const std::vector<Shape>&) const override {
    return type == ElementType::kInt8 ? TypeUse::kAsksFor : TypeUse::kNever;
  }
  bool AbsorbMargin(const Margin& margin) override;
  LayoutUse Reads(Layout layout, const std::vector<Shape>&) const override {
    return layout == Layout::kFlat ? LayoutUse::kPrefers : LayoutUse::kCannot;
  }
  LayoutUse Writes(Layout layout, const std::vector<Shape>&) const override {
    return layout == Layout::kQuads ? LayoutUse::kPrefers : LayoutUse::kCannot;
  }
  Status Plan(const std::vector<const Tensor*>& inputs, const Tensor& output,
              const PlanContext& context, uint64_t* scratch) override;
  void Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
           const RunContext& context) const override;

 private:
  int RowsRead(int rows) const;  // of the padded image, by so many of the output
  void Gather(const Tensor& input, int n, int first_row, int rows, int8_t* to) const;

  std::shared_ptr<const Int8Weights> weights_;
  const int channels_;
  Window window_;
  const QuantizedLimits limits_;
  const std::vector<int> order_;

  // Of the plan.
  const int8::Kernels* kernels_ = nullptr;
  PlacedWindow placed_;
  int8::Requantization to_ = {};
  std::vector<int32_t> offset_;
  int band_rows_ = 1, bands_ = 1;  // of the output
  size_t row_ = 0;                 // bytes of a padded row of the image
  size_t quad_ = 0;                // between quads of gathered pixels
  uint64_t worker_bytes_ = 0;
  Int8Grid grid_, last_grid_;
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_OPS_INT8_GATHERED_CONVOLUTION_H_
