// SQRT and RSQRT.
#ifndef SBNN_DELEGATE_ENGINE_OPS_SQUARE_ROOT_H_
#define SBNN_DELEGATE_ENGINE_OPS_SQUARE_ROOT_H_

#include <vector>

#include "delegate/engine/op.h"

namespace sbnn {

class SquareRoot : public Op {
 public:
  // `reciprocal`: 1 divided by it.
  explicit SquareRoot(bool reciprocal) : reciprocal_(reciprocal) {}

  Status InferShape(const std::vector<Shape>& inputs, Shape* output) const override;
  bool MayOverwrite(const Tensor& input, const Tensor& output, int) const override {
    return input.shape == output.shape;
  }
  void Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
           const RunContext& context) const override;

 private:
  bool reciprocal_;
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_OPS_SQUARE_ROOT_H_
