// CONV_2D of int8 weights between floats ("dynamic range").
#ifndef SBNN_DELEGATE_ENGINE_OPS_INT8_DYNAMIC_CONVOLUTION_H_
#define SBNN_DELEGATE_ENGINE_OPS_INT8_DYNAMIC_CONVOLUTION_H_

#include <memory>
#include <string>
#include <vector>

#include "delegate/engine/int8_lowered_input.h"
#include "delegate/engine/int8_matrix.h"
#include "delegate/engine/op.h"
#include "delegate/engine/ops/int8/dynamic_outputs.h"
#include "delegate/engine/rounded_image.h"
#include "delegate/engine/window.h"
#include "delegate/format/int8_weights.h"

namespace sbnn {

class DynamicConvolution : public Op {
 public:
  // `by_pixel`: see RoundedImage.
  DynamicConvolution(std::shared_ptr<const Int8Weights> weights, DynamicOutputs outputs,
                     const Window& window, bool by_pixel);

  Status InferShape(const std::vector<Shape>& inputs, Shape* output) const override;
  bool AbsorbMargin(const Margin& margin) override;
  Status Plan(const std::vector<const Tensor*>& inputs, const Tensor& output,
              const PlanContext& context, uint64_t* scratch) override;
  void Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
           const RunContext& context) const override;
  std::string Remark() const override;
  std::vector<Range> Constants() const override;

 private:
  bool Pointwise(const Images& image) const;
  Status PlanOffsets(const Tensor& rounded, bool pointwise);
  void RunProduct(const Int8Grid& grid, int8::SpmmArgs args, Team& team) const;

  std::shared_ptr<const Int8Weights> weights_;
  const DynamicOutputs outputs_;
  Window window_;
  const bool by_pixel_;

  // Of the plan.
  const int8::Kernels* kernels_ = nullptr;
  RoundedImage rounded_;
  Int8LoweredInput lowered_;  // unless it is pointwise
  std::vector<int32_t> offset_;
  Int8Grid grid_, last_grid_;
  uint64_t lowered_at_ = 0, pixel_at_ = 0;  // in the scratch
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_OPS_INT8_DYNAMIC_CONVOLUTION_H_
