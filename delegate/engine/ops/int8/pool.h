// MAX_POOL_2D and AVERAGE_POOL_2D of int8.
#ifndef SBNN_DELEGATE_ENGINE_OPS_INT8_POOL_H_
#define SBNN_DELEGATE_ENGINE_OPS_INT8_POOL_H_

#include <cstdint>
#include <vector>

#include "delegate/engine/op.h"
#include "delegate/engine/window.h"
#include "delegate/kernels/int8/table.h"

namespace sbnn {

// Averages are whole divisions, rounded to the nearest, halves away from the number 0, as those of
// TensorFlow Lite's built-in kernel. Padding takes part in neither.
class Int8Pool : public Op {
 public:
  // `was_uint8`: the number 0 is -128 here.
  Int8Pool(bool average, const Window& window, float lo, float hi, bool was_uint8)
      : average_(average), window_(window), lo_(lo), hi_(hi), zero_(was_uint8 ? -128 : 0) {}

  Status InferShape(const std::vector<Shape>& inputs, Shape* output) const override;
  TypeUse UseOf(ElementType type, const std::vector<Shape>&) const override {
    return type == ElementType::kInt8 ? TypeUse::kIfGiven : TypeUse::kNever;
  }
  // (The fewer planes, the longer the loops.)
  LayoutUse Reads(Layout layout, const std::vector<Shape>&) const override {
    return layout == Layout::kPanel ? LayoutUse::kCan : LayoutUse::kPrefers;
  }
  bool KeepsLayout(const std::vector<Shape>&) const override { return true; }
  Status Plan(const std::vector<const Tensor*>& inputs, const Tensor& output,
              const PlanContext& context, uint64_t* scratch) override;
  void Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
           const RunContext& context) const override;

 private:
  // `channels`: of those that are side by side, so many.
  void AverageRow(const int32_t* column, int together, int channels, int rows, int8_t* y,
                  const QuantizedLimits& l) const;
  void MostOfRow(const int8_t* column, int channels, int8_t* y,
                 const int8::Elementwise& kernels) const;
  void MostOfPlane(const int8_t* x, const Tensor& input, int first, int end, int8_t* work,
                   int8_t* y, const int8::Kernels& kernels) const;

  bool average_;
  Window window_;
  float lo_, hi_;
  const int zero_;

  // Of the plan.
  std::vector<Met> rows_, columns_;  // of each output row and column
  int pad_left_ = 0;
  int band_rows_ = 1;  // of the output
  uint64_t worker_bytes_ = 0;
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_OPS_INT8_POOL_H_
