// DEPTHWISE_CONV_2D of int8.
#ifndef SBNN_DELEGATE_ENGINE_OPS_INT8_DEPTHWISE_H_
#define SBNN_DELEGATE_ENGINE_OPS_INT8_DEPTHWISE_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "delegate/engine/op.h"
#include "delegate/engine/window.h"
#include "delegate/kernels/int8/table.h"

namespace sbnn {

struct Int8DepthwiseWeights {
  int channels = 0;
  std::vector<int8_t> taps;  // [taps][channels]
  std::vector<int32_t> bias;
  std::vector<float> scale;  // input scale * weight scale / output scale
};

// Reads quads, and writes quads or a panel.
class Int8Depthwise : public Op {
 public:
  Int8Depthwise(Int8DepthwiseWeights weights, const Window& window, QuantizedLimits limits);

  Status InferShape(const std::vector<Shape>& inputs, Shape* output) const override;
  TypeUse UseOf(ElementType type, const std::vector<Shape>&) const override {
    return type == ElementType::kInt8 ? TypeUse::kAsksFor : TypeUse::kNever;
  }
  bool AbsorbMargin(const Margin& margin) override;
  LayoutUse Reads(Layout layout, const std::vector<Shape>&) const override {
    return layout == Layout::kQuads ? LayoutUse::kPrefers : LayoutUse::kCannot;
  }
  LayoutUse Writes(Layout layout, const std::vector<Shape>&) const override {
    return layout == Layout::kFlat ? LayoutUse::kCannot : LayoutUse::kPrefers;
  }
  Status Plan(const std::vector<const Tensor*>& inputs, const Tensor& output,
              const PlanContext& context, uint64_t* scratch) override;
  void Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
           const RunContext& context) const override;

 private:
  void RunQuads(const Tensor& input, const Tensor& output, int first, int end, int8_t* sums) const;

  const Int8DepthwiseWeights weights_;
  Window window_;
  const QuantizedLimits limits_;

  // Of the plan.
  const int8::Kernels* kernels_ = nullptr;
  int8::DepthwiseFn direct_ = nullptr;  // null: depthwise_any
  PlacedWindow placed_;
  int8::Requantization to_ = {};
  int quads_ = 0;
  std::vector<int8_t> packed_, pad_row_;
  std::vector<int32_t> bias_;
  std::vector<float> scale_;
  uint64_t worker_bytes_ = 0;
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_OPS_INT8_DEPTHWISE_H_
