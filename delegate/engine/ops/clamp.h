// RELU and its relatives: values limited to [lo, hi].
#ifndef SBNN_DELEGATE_ENGINE_OPS_CLAMP_H_
#define SBNN_DELEGATE_ENGINE_OPS_CLAMP_H_

#include <vector>

#include "delegate/engine/op.h"

namespace sbnn {

class Clamp : public Op {
 public:
  Clamp(float lo, float hi) : lo_(lo), hi_(hi) {}

  Status InferShape(const std::vector<Shape>& inputs, Shape* output) const override;
  bool AsEpilogue(const std::vector<Shape>& inputs, Epilogue* epilogue) const override;
  bool MayOverwrite(const Tensor& input, const Tensor& output, int) const override {
    return input.shape == output.shape;
  }
  TypeUse UseOf(ElementType type, const std::vector<Shape>&) const override {
    return IsFloat(type) ? TypeUse::kIfGiven : TypeUse::kNever;
  }
  void Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
           const RunContext& context) const override;

 private:
  float lo_, hi_;
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_OPS_CLAMP_H_
