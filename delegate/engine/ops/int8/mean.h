// MEAN of int8.
#ifndef SBNN_DELEGATE_ENGINE_OPS_INT8_MEAN_H_
#define SBNN_DELEGATE_ENGINE_OPS_INT8_MEAN_H_

#include <utility>
#include <vector>

#include "delegate/engine/ops/mean.h"

namespace sbnn {

// As XNNPACK: whole sums, one product with a float, rounded to the nearest, ties to even.
class Int8Mean : public Mean {
 public:
  // `was_uint8`: the tensors' numbers are 128 less here.
  Int8Mean(std::vector<int> axes, bool keep_dims, bool was_uint8)
      : Mean(std::move(axes), keep_dims), above_int8_(was_uint8 ? 128 : 0) {}

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

 private:
  const int above_int8_;
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_OPS_INT8_MEAN_H_
