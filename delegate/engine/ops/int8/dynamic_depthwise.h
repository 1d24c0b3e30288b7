// DEPTHWISE_CONV_2D of int8 weights between floats ("dynamic range").
#ifndef SBNN_DELEGATE_ENGINE_OPS_INT8_DYNAMIC_DEPTHWISE_H_
#define SBNN_DELEGATE_ENGINE_OPS_INT8_DYNAMIC_DEPTHWISE_H_

#include <memory>
#include <string>
#include <vector>

#include "delegate/engine/op.h"
#include "delegate/engine/ops/depthwise.h"
#include "delegate/kernels/int8/table.h"

namespace sbnn {

// As TensorFlow Lite's own kernel: each image is rounded by a scale and a zero point of its own.
// Sums of so few whole numbers are exact in floats, so that the kernels of floats compute them.
class DynamicDepthwise : public Op {
 public:
  // The most taps of which that is so.
  static constexpr int kMostTaps = 512;

  // `weights`: whole numbers, and a bias of zeros. `scale`, `bias`: of each output.
  DynamicDepthwise(std::shared_ptr<const DepthwiseWeights> weights, std::vector<float> scale,
                   std::vector<float> bias, const Window& window, float lo, float hi);

  Status InferShape(const std::vector<Shape>& inputs, Shape* output) const override {
    return sums_.InferShape(inputs, output);
  }
  // (Zeros are part of every range.)
  bool AbsorbMargin(const Margin& margin) override { return sums_.AbsorbMargin(margin); }
  Status Plan(const std::vector<const Tensor*>& inputs, const Tensor& output,
              const PlanContext& context, uint64_t* scratch) override;
  void Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
           const RunContext& context) const override;
  std::string Remark() const override { return "inputs rounded to int8 by images"; }

 private:
  // From the numbers of image n to floats; returns by what they are to be multiplied.
  float Round(const Tensor& input, int n, const Tensor& rounded, const RunContext& context) const;

  Depthwise sums_;
  const std::vector<float> scale_, bias_;
  const float lo_, hi_;

  // Of the plan.
  const int8::Kernels* kernels_ = nullptr;
  uint64_t rounded_at_ = 0;  // in the scratch
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_OPS_INT8_DYNAMIC_DEPTHWISE_H_
