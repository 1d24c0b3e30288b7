// TRANSPOSE_CONV with dense or sparse weights.
#ifndef SBNN_DELEGATE_ENGINE_OPS_TRANSPOSE_CONVOLUTION_H_
#define SBNN_DELEGATE_ENGINE_OPS_TRANSPOSE_CONVOLUTION_H_

#include <memory>
#include <vector>

#include "delegate/engine/op.h"
#include "delegate/engine/ops/convolution.h"

namespace sbnn {

// Input pixel (y, x) times the filter is added to the output from (y, x) * stride - padding on.
// Output pixels that lie a stride apart meet the same taps: for each of stride_h x stride_w phases
// they are a convolution of stride 1 with every stride-th tap (Shi et al., "Is the deconvolution
// layer the same as a convolutional layer?", 2016). One Convolution computes all of them, as so
// many times the outputs; then they are woven together.
class TransposeConvolution : public Op {
 public:
  // Of `window` the kernel, the stride and `same` are used; `output` is the output's shape.
  // `weights.taps` are the window's, row-major, as in Convolution.
  TransposeConvolution(const PackedWeights& weights, const Window& window, const Shape& output,
                       float lo, float hi);

  Status InferShape(const std::vector<Shape>& inputs, Shape* output) const override;
  Status Plan(const std::vector<const Tensor*>& inputs, const Tensor& output,
              const PlanContext& context, uint64_t* scratch) override;
  void Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
           const RunContext& context) const override;

 private:
  struct Axis {
    int stride, taps;  // taps of the longest phase
    int out, pad;  // pixel o of the output is pixel (o + pad) / stride of phase (o + pad) % stride
    int length() const { return (out - 1 + pad) / stride + 1; }  // of a phase
  };

  std::shared_ptr<const PackedWeights> SplitPhases(const PackedWeights& w,
                                                   const Window& window) const;
  void Weave(const Tensor& phases, const Tensor& output, int n, int c) const;

  const Shape output_;
  const int inputs_, outputs_, padded_outputs_;  // the last in whole groups
  const Axis y_, x_;
  std::shared_ptr<const PackedWeights> weights_;
  const float lo_, hi_;

  // Of the plan.
  std::unique_ptr<Convolution> convolution_;
  Tensor phases_;  // the convolution's output, without data
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_OPS_TRANSPOSE_CONVOLUTION_H_
