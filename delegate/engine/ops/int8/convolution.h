// CONV_2D of int8, with dense or sparse weights.
#ifndef SBNN_DELEGATE_ENGINE_OPS_INT8_CONVOLUTION_H_
#define SBNN_DELEGATE_ENGINE_OPS_INT8_CONVOLUTION_H_

#include <memory>
#include <vector>

#include "delegate/engine/int8_lowered_input.h"
#include "delegate/engine/int8_matrix.h"
#include "delegate/engine/op.h"
#include "delegate/engine/window.h"
#include "delegate/format/int8_weights.h"

namespace sbnn {

// Blocks read quads and write quads; columns read a panel, and write either.
class Int8Convolution : public Op {
 public:
  // `weights.taps` are the window's, row-major.
  Int8Convolution(std::shared_ptr<const Int8Weights> weights, const Window& window,
                  QuantizedLimits limits);

  Status InferShape(const std::vector<Shape>& inputs, Shape* output) const override;
  TypeUse UseOf(ElementType type, const std::vector<Shape>&) const override {
    return type == ElementType::kInt8 ? TypeUse::kAsksFor : TypeUse::kNever;
  }
  bool AbsorbMargin(const Margin& margin) override;
  LayoutUse Reads(Layout layout, const std::vector<Shape>& inputs) const override;
  LayoutUse Writes(Layout layout, const std::vector<Shape>& inputs) const override;
  Status Plan(const std::vector<const Tensor*>& inputs, const Tensor& output,
              const PlanContext& context, uint64_t* scratch) override;
  void Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
           const RunContext& context) const override;
  std::vector<Range> Constants() const override;

 private:
  bool Pointwise(const Images& image) const;
  Status PlanOffsets(const Tensor& input, bool pointwise);
  void RunPointwise(const Tensor& input, const Tensor& output, const RunContext& context) const;
  void RunBands(const Tensor& input, const Tensor& output, const RunContext& context) const;
  int8::SpmmArgs Args(const int8_t* x, const Tensor& output, int n, size_t pixel,
                      int8_t* flat) const;

  std::shared_ptr<const Int8Weights> weights_;
  Window window_;
  const QuantizedLimits limits_;

  // Of the plan.
  const int8::Kernels* kernels_ = nullptr;
  int8::Requantization to_ = {};
  std::vector<int32_t> offset_;
  Int8LoweredInput lowered_;
  Int8Grid grid_, last_grid_;  // of a whole plane or a band, and of the last band
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_OPS_INT8_CONVOLUTION_H_
