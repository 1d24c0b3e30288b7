// SOFTMAX of int8 over the last dimension.
#ifndef SBNN_DELEGATE_ENGINE_OPS_INT8_SOFTMAX_H_
#define SBNN_DELEGATE_ENGINE_OPS_INT8_SOFTMAX_H_

#include <array>
#include <vector>

#include "delegate/engine/op.h"

namespace sbnn {

// As TensorFlow Lite's built-in kernel: powers from a table, of floats or of 16 bits, are added up.
class Int8Softmax : public Op {
 public:
  explicit Int8Softmax(float beta) : beta_(beta) {}

  Status InferShape(const std::vector<Shape>& inputs, Shape* output) const override;
  TypeUse UseOf(ElementType type, const std::vector<Shape>&) const override {
    return type == ElementType::kInt8 ? TypeUse::kIfGiven : TypeUse::kNever;
  }
  LayoutUse Reads(Layout layout, const std::vector<Shape>&) const override {
    return layout == Layout::kFlat ? LayoutUse::kPrefers : LayoutUse::kCannot;
  }
  Status Plan(const std::vector<const Tensor*>& inputs, const Tensor& output,
              const PlanContext& context, uint64_t* scratch) override;
  void Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
           const RunContext& context) const override;

 private:
  void InFixedPoint(const int8_t* x, int largest, size_t count, const Quantization& to,
                    int8_t* y) const;

  const float beta_;

  // Of the plan: of what lies so much below the largest.
  std::array<float, 256> powers_ = {};
  std::array<int32_t, 256> whole_powers_ = {};
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_OPS_INT8_SOFTMAX_H_
