// MEAN of int8.
#ifndef SBNN_DELEGATE_ENGINE_OPS_INT8_MEAN_H_
#define SBNN_DELEGATE_ENGINE_OPS_INT8_MEAN_H_

#include <vector>

#include "delegate/engine/ops/mean.h"

namespace sbnn {

// As XNNPACK: whole sums, one product with a float, rounded to the nearest, ties to even.
class Int8Mean : public Mean {
 public:
  using Mean::Mean;

  TypeUse UseOf(ElementType type, const std::vector<Shape>&) const override {
    return type == ElementType::kInt8 ? TypeUse::kIfGiven : TypeUse::kNever;
  }
  LayoutUse Reads(Layout layout, const std::vector<Shape>& inputs) const override;
  LayoutUse Writes(Layout layout, const std::vector<Shape>&) const override {
    return layout == Layout::kQuads ? LayoutUse::kCannot : LayoutUse::kCan;
  }
  Status Plan(const std::vector<const Tensor*>& inputs, const Tensor& output,
              const PlanContext& context, uint64_t* scratch) override;
  void Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
           const RunContext& context) const override;
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_OPS_INT8_MEAN_H_
