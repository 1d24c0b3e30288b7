// RESIZE_BILINEAR of int8.
#ifndef SBNN_DELEGATE_ENGINE_OPS_INT8_RESIZE_H_
#define SBNN_DELEGATE_ENGINE_OPS_INT8_RESIZE_H_

#include <cstdint>
#include <vector>

#include "delegate/engine/ops/resize.h"

namespace sbnn {

// As XNNPACK: shares of pixels have 11 bits.
class Int8Bilinear : public Resize {
 public:
  Int8Bilinear(bool align_corners, bool half_pixel_centers, int height, int width)
      : Resize(true, align_corners, half_pixel_centers, height, width) {}

  TypeUse UseOf(ElementType type, const std::vector<Shape>&) const override {
    return type == ElementType::kInt8 ? TypeUse::kIfGiven : TypeUse::kNever;
  }
  Status Plan(const std::vector<const Tensor*>& inputs, const Tensor& output,
              const PlanContext& context, uint64_t* scratch) override;
  void Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
           const RunContext& context) const override;

 private:
  // Where an output row or column lies between two of the input.
  struct Between {
    int first, second;
    int32_t share;  // of the second, in 11 bits
  };
  std::vector<Between> Place(int in, int out) const;

  std::vector<Between> rows_, columns_;  // of the plan
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_OPS_INT8_RESIZE_H_
