// FULLY_CONNECTED with dense or sparse weights.
#ifndef SBNN_DELEGATE_ENGINE_OPS_FULLY_CONNECTED_H_
#define SBNN_DELEGATE_ENGINE_OPS_FULLY_CONNECTED_H_

#include <memory>
#include <utility>
#include <vector>

#include "delegate/engine/matrix.h"
#include "delegate/engine/op.h"
#include "delegate/format/packed_weights.h"

namespace sbnn {

class FullyConnected : public Op {
 public:
  // `weights` are structured (see kOneVectorCost). keep_dims: the leading dimensions of the input
  // stay, otherwise they become one.
  FullyConnected(std::shared_ptr<const PackedWeights> weights, bool keep_dims, float lo, float hi)
      : weights_(std::move(weights)), keep_dims_(keep_dims), lo_(lo), hi_(hi) {}

  Status InferShape(const std::vector<Shape>& inputs, Shape* output) const override;
  TypeUse UseOf(ElementType type, const std::vector<Shape>& inputs) const override;
  Status Plan(const std::vector<const Tensor*>& inputs, const Tensor& output,
              const PlanContext& context, uint64_t* scratch) override;
  void Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
           const RunContext& context) const override;
  std::vector<Range> Constants() const override {
    return {RangeOf(values_.From(0), values_.From(weights_->values.size())),
            RangeOf(weights_->columns.begin(), weights_->columns.end())};
  }

 private:
  std::shared_ptr<const PackedWeights> weights_;
  bool keep_dims_;
  float lo_, hi_;

  // Of the plan.
  Values values_, bias_;
  VectorGrid grid_;
  uint64_t flat_output_ = 0;  // where in the scratch the results of images go
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_OPS_FULLY_CONNECTED_H_
