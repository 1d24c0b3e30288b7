// RESIZE_BILINEAR and RESIZE_NEAREST_NEIGHBOR.
#ifndef SBNN_DELEGATE_ENGINE_OPS_RESIZE_H_
#define SBNN_DELEGATE_ENGINE_OPS_RESIZE_H_

#include <cstdint>
#include <vector>

#include "delegate/engine/op.h"

namespace sbnn {

class Resize : public Op {
 public:
  // To `height` x `width`; where these are 0, the second input says both. The corners of input and
  // output are aligned, or the centers of their pixels, or neither.
  Resize(bool bilinear, bool align_corners, bool half_pixel_centers, int height, int width)
      : bilinear_(bilinear),
        align_corners_(align_corners),
        half_pixel_centers_(half_pixel_centers),
        height_(height),
        width_(width) {}

  Status InferShape(const std::vector<Shape>& inputs, Shape* output) const override;
  TypeUse UseOf(ElementType type, const std::vector<Shape>&) const override {
    return type == ElementType::kInt8 && !bilinear_ ? TypeUse::kIfGiven : TypeUse::kNever;
  }
  Status Plan(const std::vector<const Tensor*>& inputs, const Tensor& output,
              const PlanContext& context, uint64_t* scratch) override;
  void Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
           const RunContext& context) const override;

 protected:
  bool bilinear_, align_corners_, half_pixel_centers_;

 private:
  // For each position of an axis of the output the two of the input that it lies between, and how
  // far it is from the first to the second.
  struct Axis {
    std::vector<int32_t> first, second;
    std::vector<float> share;
  };
  Axis Place(int in, int out) const;
  void RunFloats(const Tensor& input, const Tensor& output, const RunContext& context) const;
  // (The nearest ones.)
  void RunInt8(const Tensor& input, const Tensor& output, const RunContext& context) const;

  int height_, width_;

  // Of the plan.
  Axis rows_, columns_;
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_OPS_RESIZE_H_
