// ADD, SUB, MUL, MAXIMUM, MINIMUM and PRELU of int8, with broadcast.
#ifndef SBNN_DELEGATE_ENGINE_OPS_INT8_BINARY_H_
#define SBNN_DELEGATE_ENGINE_OPS_INT8_BINARY_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "delegate/engine/op.h"
#include "delegate/engine/ops/int8/arithmetic.h"

namespace sbnn {

class Int8Binary : public Op {
 public:
  // An operand that does not change from run to run.
  struct Constant {
    std::vector<int8_t> numbers;
    Shape shape;
    Quantization quantization;
  };

  Int8Binary(BinaryKind kind, float lo, float hi) : kind_(kind), lo_(lo), hi_(hi) {}
  Int8Binary(BinaryKind kind, float lo, float hi, Constant constant, bool constant_first)
      : kind_(kind),
        lo_(lo),
        hi_(hi),
        constant_(std::move(constant)),
        constant_first_(constant_first) {}

  Status InferShape(const std::vector<Shape>& inputs, Shape* output) const override;
  TypeUse UseOf(ElementType type, const std::vector<Shape>&) const override {
    return type == ElementType::kInt8 ? TypeUse::kIfGiven : TypeUse::kNever;
  }
  LayoutUse Reads(Layout layout, const std::vector<Shape>& inputs) const override;
  bool KeepsLayout(const std::vector<Shape>&) const override { return true; }
  bool MayOverwrite(const Tensor& input, const Tensor& output, int) const override {
    return input.shape == output.shape && input.layout == output.layout;
  }
  Status Plan(const std::vector<const Tensor*>& inputs, const Tensor& output,
              const PlanContext& context, uint64_t* scratch) override;
  void Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
           const RunContext& context) const override;

 private:
  // How an operand's elements are found for those of the output.
  enum class Spread { kSame, kOne, kChannels, kAnyhow };
  struct Operand {
    const Tensor* tensor = nullptr;  // null: the constant
    Shape shape;
    Spread spread;
  };
  static Spread SpreadOf(const Shape& shape, const Shape& output);
  std::vector<Operand> Operands(const std::vector<const Tensor*>& inputs,
                                const Tensor& output) const;
  void RunChannels(const Operand& left, const Operand& right, const Tensor& output,
                   const RunContext& context) const;
  const int8_t* From(const Operand& operand) const;

  BinaryKind kind_;
  float lo_, hi_;
  Constant constant_;
  bool constant_first_ = false;

  Arithmetic arithmetic_;      // of the plan
  uint64_t spread_bytes_ = 0;  // of the plan: an operand as large as the output
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_OPS_INT8_BINARY_H_
