// QUANTIZE from float32, and DEQUANTIZE to it.
#ifndef SBNN_DELEGATE_ENGINE_OPS_INT8_CONVERT_H_
#define SBNN_DELEGATE_ENGINE_OPS_INT8_CONVERT_H_

#include <vector>

#include "delegate/engine/op.h"

namespace sbnn {

// Between float32 and int8, whichever way the tensors have it. Images of floats are panels, or flat
// where they come from outside.
class ConvertNumbers : public Op {
 public:
  Status InferShape(const std::vector<Shape>& inputs, Shape* output) const override;
  TypeUse UseOf(ElementType type, const std::vector<Shape>&) const override {
    return type == ElementType::kInt8 ? TypeUse::kIfGiven : TypeUse::kNever;
  }
  void Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
           const RunContext& context) const override;
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_OPS_INT8_CONVERT_H_
