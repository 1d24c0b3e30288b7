// ADD, SUB, MUL, DIV, MAXIMUM, MINIMUM, PRELU and SQUARED_DIFFERENCE, with broadcast.
#ifndef SBNN_DELEGATE_ENGINE_OPS_BINARY_H_
#define SBNN_DELEGATE_ENGINE_OPS_BINARY_H_

#include <cmath>
#include <utility>
#include <vector>

#include "delegate/engine/memory.h"
#include "delegate/engine/op.h"

namespace sbnn {

class Binary : public Op {
 public:
  // Two inputs that change from run to run.
  Binary(BinaryKind kind, float lo, float hi) : kind_(kind), lo_(lo), hi_(hi) {}

  // One input, and a constant; `constant_first`: it is the left operand.
  Binary(BinaryKind kind, float lo, float hi, std::vector<float> constant, Shape constant_shape,
         bool constant_first)
      : kind_(kind),
        lo_(lo),
        hi_(hi),
        constant_(std::move(constant)),
        constant_shape_(std::move(constant_shape)),
        swapped_(constant_first) {}

  // Of one with one input.
  const std::vector<float>& constant() const { return constant_; }
  const Shape& constant_shape() const { return constant_shape_; }

  Status InferShape(const std::vector<Shape>& inputs, Shape* output) const override;
  bool Multiplies() const override {
    return kind_ == BinaryKind::kMul && !limits() && constant_.empty();
  }
  bool AsScale(float* factor) const override;
  const Binary* AsSum() const override {
    return kind_ == BinaryKind::kAdd && !limits() ? this : nullptr;
  }
  bool AsGate(const std::vector<Shape>& inputs, size_t* images) const override;
  bool AsEpilogue(const std::vector<Shape>& inputs, Epilogue* epilogue) const override;
  bool MayOverwrite(const Tensor& input, const Tensor& output, int) const override {
    return input.shape == output.shape;
  }
  TypeUse UseOf(ElementType type, const std::vector<Shape>& inputs) const override;
  Status Plan(const std::vector<const Tensor*>& inputs, const Tensor& output,
              const PlanContext& context, uint64_t* scratch) override;
  void Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
           const RunContext& context) const override;

 private:
  bool limits() const { return lo_ != -hi_ || !std::isinf(hi_); }
  bool Direct(const std::vector<Shape>& inputs, const Shape& output) const;
  void RunRows(const std::vector<const Tensor*>& inputs, const Tensor& output,
               const RunContext& context) const;
  void RunSpread(const std::vector<const Tensor*>& inputs, const Tensor& output,
                 const RunContext& context) const;

  BinaryKind kind_;
  float lo_, hi_;
  std::vector<float> constant_;
  Shape constant_shape_;
  bool swapped_ = false;

  // Of the plan.
  bool direct_ = false;
  Values constants_;  // for the kernels
  Buffer spread_;     // the constant as large as the output
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_OPS_BINARY_H_
