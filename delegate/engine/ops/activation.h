// LOGISTIC, TANH, HARD_SWISH, LEAKY_RELU, ELU, GELU, and swish: LOGISTIC with the MUL behind it.
#ifndef SBNN_DELEGATE_ENGINE_OPS_ACTIVATION_H_
#define SBNN_DELEGATE_ENGINE_OPS_ACTIVATION_H_

#include <vector>

#include "delegate/engine/op.h"

namespace sbnn {

class Activation : public Op {
 public:
  // `alpha` is the slope of LEAKY_RELU for negative values.
  explicit Activation(UnaryKind kind, float alpha = 0) : kind_(kind), alpha_(alpha) {}

  Status InferShape(const std::vector<Shape>& inputs, Shape* output) const override;
  bool MayOverwrite(const Tensor& input, const Tensor& output, int) const override {
    return input.shape == output.shape;
  }
  bool Applies(UnaryKind kind) const override { return kind == kind_; }
  bool AsEpilogue(const std::vector<Shape>& inputs, Epilogue* epilogue) const override;
  TypeUse UseOf(ElementType type, const std::vector<Shape>&) const override {
    return IsFloat(type) ? TypeUse::kIfGiven : TypeUse::kNever;
  }
  void Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
           const RunContext& context) const override;

 private:
  UnaryKind kind_;
  float alpha_;
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_OPS_ACTIVATION_H_
