// MEAN.
#ifndef SBNN_DELEGATE_ENGINE_OPS_MEAN_H_
#define SBNN_DELEGATE_ENGINE_OPS_MEAN_H_

#include <utility>
#include <vector>

#include "delegate/engine/op.h"

namespace sbnn {

class Mean : public Op {
 public:
  // Over these dimensions, in rising order; keep_dims: they stay, with one element.
  Mean(std::vector<int> axes, bool keep_dims) : axes_(std::move(axes)), keep_dims_(keep_dims) {}

  Status InferShape(const std::vector<Shape>& inputs, Shape* output) const override;
  TypeUse UseOf(ElementType type, const std::vector<Shape>& inputs) const override;
  Status Plan(const std::vector<const Tensor*>& inputs, const Tensor& output,
              const PlanContext& context, uint64_t* scratch) override;
  void Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
           const RunContext& context) const override;

 protected:
  bool OverPixels(const Shape& input) const;
  bool OverRows(const Shape& input) const;
  // Copies the elements so that what one mean is of is a row; returns how many those are.
  size_t CopyAsRows(const Tensor& input, void* rows, const RunContext& context) const;

 private:
  std::vector<int> axes_;
  bool keep_dims_;
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_OPS_MEAN_H_
