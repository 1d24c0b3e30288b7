// ADD, SUB, MUL, DIV, MAXIMUM, MINIMUM, with broadcast.
#ifndef SBNN_DELEGATE_ENGINE_OPS_BINARY_H_
#define SBNN_DELEGATE_ENGINE_OPS_BINARY_H_

#include <cmath>
#include <utility>
#include <vector>

#include "delegate/engine/op.h"

namespace sbnn {

class Binary : public Op {
 public:
  // Two inputs that change from run to run.
  Binary(BinaryKind kind, float lo, float hi) : kind_(kind), lo_(lo), hi_(hi) {}

  // One input, and a constant of one value or one for each channel; `constant_first`: the constant
  // is the left operand.
  Binary(BinaryKind kind, float lo, float hi, std::vector<float> constant, bool constant_first)
      : kind_(kind), lo_(lo), hi_(hi), constant_(std::move(constant)), swapped_(constant_first) {}

  // Whether `small` can be spread over `large`: equal in each dimension, or 1; height and width
  // only together.
  static bool Spreads(const Shape& small, const Shape& large);

  // Whether it multiplies, and does nothing else.
  bool IsProduct() const { return kind_ == BinaryKind::kMul && lo_ == -hi_ && std::isinf(hi_); }

  Status InferShape(const std::vector<Shape>& inputs, Shape* output) const override;
  bool AsEpilogue(const std::vector<Shape>& inputs, Epilogue* epilogue) const override;
  bool MayOverwrite(const Tensor& input, const Tensor& output) const override {
    return input.shape == output.shape;
  }
  void Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
           const RunContext& context) const override;

 private:
  BinaryKind kind_;
  float lo_, hi_;
  std::vector<float> constant_;
  bool swapped_ = false;
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_OPS_BINARY_H_
