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

// The output of a fully connected layer, of floats or int8: rows of `outputs`, for each `inputs` of
// the elements. `keep_dims`: all dimensions but the last stay.
Status InferRows(const Shape& input, int inputs, int outputs, bool keep_dims, Shape* output);

class FullyConnected : public Op {
 public:
  // From so many rows on they are the pixels of a panel, for which `weights` are packed as a
  // convolution's; fewer are products with vectors, for which they are packed by kOneVectorCost.
  // (Either packing is right for any number of rows, but slower.)
  static constexpr size_t kLeastRows = 4;

  // keep_dims: the leading dimensions of the input stay, otherwise they become one.
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
  size_t Rows(const Tensor& input) const;
  void RunVectors(const void* x, void* y, size_t rows, const RunContext& context) const;
  void RunPixels(const Tensor& x, const void* flat, void* y, const Tensor& output,
                 const RunContext& context) const;
  void RunBlock(const Tensor& x, size_t behind, int n, int tile, int block, void* y,
                const Tensor& output, void* scratch, const RunContext& context) const;
  int blocks() const { return (weights_->groups() + block_groups_ - 1) / block_groups_; }

  std::shared_ptr<const PackedWeights> weights_;
  bool keep_dims_;
  float lo_, hi_;

  // Of the plan.
  Values values_, bias_;
  bool as_pixels_ = false;
  VectorGrid vector_grid_;  // of a row
  TaskGrid grid_;           // of the rows of an image
  std::vector<int32_t> offset_bytes_;
  Tensor x_;  // the rows as pixels: all, or with one thread those of a tile
  int block_groups_ =
      1;  // of weights, whose results are brought into the outside's layout together
  size_t block_stride_ = 0;  // between their outputs
  bool x_is_input_ = false, y_is_output_ = false;
  // Where in the scratch things lie.
  uint64_t flat_input_at_ = 0, flat_output_at_ = 0, x_at_ = 0, blocks_at_ = 0, block_bytes_ = 0;
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_OPS_FULLY_CONNECTED_H_
