// TRANSPOSE_CONV of int8.
#ifndef SBNN_DELEGATE_ENGINE_OPS_INT8_TRANSPOSE_CONVOLUTION_H_
#define SBNN_DELEGATE_ENGINE_OPS_INT8_TRANSPOSE_CONVOLUTION_H_

#include <memory>
#include <vector>

#include "delegate/engine/op.h"
#include "delegate/engine/ops/int8/convolution.h"
#include "delegate/engine/window.h"
#include "delegate/format/int8_weights.h"

namespace sbnn {

// A convolution that computes all phases of the output's pixels, as channels of their own, which
// are then woven together: see TransposeConvolution, of floats. Reads and writes quads.
class Int8TransposeConvolution : public Op {
 public:
  // What is to be packed as blocks: the filter of that convolution, [phases * lanes, taps, taps,
  // inputs] of a filter OHWI, where lanes are its outputs in whole quads. `outputs` of the filter
  // become those of the phases.
  struct Phases {
    std::vector<int> shape;
    std::vector<int8_t> values;
  };
  static Phases SplitPhases(const Constant& filter, const Window& window, Int8Outputs* outputs);

  // `weights`: of SplitPhases. `window`: of the filter. `output`: the shape.
  Int8TransposeConvolution(std::shared_ptr<const Int8Weights> weights, const Window& window,
                           const Shape& output, QuantizedLimits limits);

  Status InferShape(const std::vector<Shape>& inputs, Shape* output) const override;
  TypeUse UseOf(ElementType type, const std::vector<Shape>&) const override {
    return type == ElementType::kInt8 ? TypeUse::kAsksFor : TypeUse::kNever;
  }
  LayoutUse Reads(Layout layout, const std::vector<Shape>&) const override {
    return layout == Layout::kQuads ? LayoutUse::kPrefers : LayoutUse::kCannot;
  }
  Status Plan(const std::vector<const Tensor*>& inputs, const Tensor& output,
              const PlanContext& context, uint64_t* scratch) override;
  void Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
           const RunContext& context) const override;

 private:
  struct Axis {
    int stride, taps, out, pad;
    // Pixels of a phase.
    int length() const { return (out + pad + stride - 1) / stride; }
  };
  void Weave(const Tensor& output, const Tensor& phases, int n, int quad) const;

  std::shared_ptr<const Int8Weights> weights_;
  const Shape output_;
  const QuantizedLimits limits_;
  Axis y_, x_;

  // Of the plan.
  std::unique_ptr<Int8Convolution> convolution_;
  Tensor phases_;
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_OPS_INT8_TRANSPOSE_CONVOLUTION_H_
