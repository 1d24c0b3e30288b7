// FULLY_CONNECTED of int8, with dense or sparse weights.
#ifndef SBNN_DELEGATE_ENGINE_OPS_INT8_FULLY_CONNECTED_H_
#define SBNN_DELEGATE_ENGINE_OPS_INT8_FULLY_CONNECTED_H_

#include <memory>
#include <vector>

#include "delegate/engine/int8_matrix.h"
#include "delegate/engine/op.h"
#include "delegate/format/int8_weights.h"

namespace sbnn {

// One row times blocks of four outputs; several rows are the pixels of an image in quads.
class Int8FullyConnected : public Op {
 public:
  // `weights`: blocks of groups of 4.
  Int8FullyConnected(std::shared_ptr<const Int8Weights> weights, bool keep_dims,
                     QuantizedLimits limits);

  Status InferShape(const std::vector<Shape>& inputs, Shape* output) const override;
  TypeUse UseOf(ElementType type, const std::vector<Shape>&) const override {
    return type == ElementType::kInt8 ? TypeUse::kAsksFor : TypeUse::kNever;
  }
  LayoutUse Reads(Layout layout, const std::vector<Shape>&) const override {
    return layout == Layout::kFlat ? LayoutUse::kPrefers : LayoutUse::kCannot;
  }
  Status Plan(const std::vector<const Tensor*>& inputs, const Tensor& output,
              const PlanContext& context, uint64_t* scratch) override;
  void Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
           const RunContext& context) const override;
  std::vector<Range> Constants() const override;

 private:
  std::shared_ptr<const Int8Weights> weights_;
  const bool keep_dims_;
  const QuantizedLimits limits_;

  // Of the plan.
  const int8::Kernels* kernels_ = nullptr;
  int8::Requantization to_ = {};
  size_t rows_ = 0;
  int chunks_ = 1;                    // of outputs, for one row
  uint64_t x_quad_ = 0, y_quad_ = 0;  // bytes between quads
  std::vector<int32_t> offset_;
  Int8Grid grid_;
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_OPS_INT8_FULLY_CONNECTED_H_
