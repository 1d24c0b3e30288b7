// FULLY_CONNECTED of int8, with dense or sparse weights.
#ifndef SBNN_DELEGATE_ENGINE_OPS_INT8_FULLY_CONNECTED_H_
#define SBNN_DELEGATE_ENGINE_OPS_INT8_FULLY_CONNECTED_H_

#include <memory>
#include <vector>

#include "delegate/engine/int8_matrix.h"
#include "delegate/engine/op.h"
#include "delegate/format/int8_weights.h"

namespace sbnn {

// One row times blocks of four outputs has a kernel of its own. Else rows are the pixels of an
// image: of quads for blocks, of a panel for columns.
class Int8FullyConnected : public Op {
 public:
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
  bool one_row_ = false;                  // and blocks of four outputs
  int chunks_ = 1;                        // of outputs, then
  uint64_t x_stride_ = 0, y_stride_ = 0;  // bytes between quads, or channels of a panel
  uint64_t x_bytes_ = 0;
  std::vector<int32_t> offset_;
  Int8Grid grid_;
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_OPS_INT8_FULLY_CONNECTED_H_
