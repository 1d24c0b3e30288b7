// PAD and PADV2.
#ifndef SBNN_DELEGATE_ENGINE_OPS_PAD_H_
#define SBNN_DELEGATE_ENGINE_OPS_PAD_H_

#include <utility>
#include <vector>

#include "delegate/engine/moving_op.h"

namespace sbnn {

// How many elements stand before and after those of each dimension.
struct Padding {
  std::vector<int> before, after;

  // Fails where they are not for this shape.
  Status InferShape(const Shape& input, Shape* output) const;
};

class Pad : public MovingOp {
 public:
  explicit Pad(Padding padding, float value = 0) : padding_(std::move(padding)), value_(value) {}
  // Zeros around the height and width of images.
  explicit Pad(const Margin& margin)
      : Pad(Padding{{0, margin.top, margin.left, 0}, {0, margin.bottom, margin.right, 0}}) {}

  Status InferShape(const std::vector<Shape>& inputs, Shape* output) const override;
  bool AsMargin(Margin* margin) const override;
  void Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
           const RunContext& context) const override;

 private:
  Padding padding_;
  float value_;
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_OPS_PAD_H_
