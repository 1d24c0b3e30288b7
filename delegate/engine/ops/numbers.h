// Operators on whole numbers that follow from shapes: SHAPE, and STRIDED_SLICE and PACK of its
// results, as Keras writes them to reshape images whose batch is not known.
#ifndef SBNN_DELEGATE_ENGINE_OPS_NUMBERS_H_
#define SBNN_DELEGATE_ENGINE_OPS_NUMBERS_H_

#include <utility>
#include <vector>

#include "delegate/engine/op.h"
#include "delegate/engine/slice.h"

namespace sbnn {

// Lists of numbers (a single one is a list of one) that stand in the place of shapes.
class NumbersOp : public Op {
 public:
  bool OnShapes() const override { return true; }
  void Run(const std::vector<const Tensor*>&, const Tensor&, const RunContext&) const override {}
};

// The shape of a tensor.
class ShapeOf : public NumbersOp {
 public:
  Status InferShape(const std::vector<Shape>& inputs, Shape* output) const override;
};

// Some of the numbers.
class SliceNumbers : public NumbersOp {
 public:
  explicit SliceNumbers(Slice slice) : slice_(std::move(slice)) {}
  Status InferShape(const std::vector<Shape>& inputs, Shape* output) const override;

 private:
  Slice slice_;
};

// Lists behind one another.
class JoinNumbers : public NumbersOp {
 public:
  // Each list is an input, or else, where it is not empty, a constant.
  explicit JoinNumbers(std::vector<std::vector<int>> constants)
      : constants_(std::move(constants)) {}
  Status InferShape(const std::vector<Shape>& inputs, Shape* output) const override;

 private:
  std::vector<std::vector<int>> constants_;
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_OPS_NUMBERS_H_
