// Functions of single elements of int8, as tables: activations, clamps, changes of scale.
#ifndef SBNN_DELEGATE_ENGINE_OPS_INT8_LOOKUP_H_
#define SBNN_DELEGATE_ENGINE_OPS_INT8_LOOKUP_H_

#include <functional>
#include <utility>
#include <vector>

#include "delegate/engine/op.h"
#include "delegate/engine/tables.h"

namespace sbnn {

class Lookup : public Op {
 public:
  using MakeTable = std::function<Table(const Quantization& input, const Quantization& output)>;
  explicit Lookup(MakeTable make_table) : make_table_(std::move(make_table)) {}
  // Where TensorFlow Lite's kernel takes `vector` numbers at a time, and rounds those that are left
  // at the tensor's end otherwise.
  Lookup(MakeTable make_table, MakeTable make_table_of_rest, int vector)
      : make_table_(std::move(make_table)),
        make_table_of_rest_(std::move(make_table_of_rest)),
        vector_(vector) {}

  Status InferShape(const std::vector<Shape>& inputs, Shape* output) const override;
  TypeUse UseOf(ElementType type, const std::vector<Shape>&) const override {
    return type == ElementType::kInt8 ? TypeUse::kIfGiven : TypeUse::kNever;
  }
  LayoutUse Reads(Layout, const std::vector<Shape>&) const override { return LayoutUse::kCan; }
  bool KeepsLayout(const std::vector<Shape>&) const override { return true; }
  bool MayOverwrite(const Tensor& input, const Tensor& output, int) const override {
    return input.shape == output.shape && input.layout == output.layout;
  }
  Status Plan(const std::vector<const Tensor*>& inputs, const Tensor& output,
              const PlanContext& context, uint64_t* scratch) override;
  void Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
           const RunContext& context) const override;

 private:
  const MakeTable make_table_, make_table_of_rest_;
  const int vector_ = 1;

  // Of the plan.
  Table table_ = {}, table_of_rest_ = {};
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_OPS_INT8_LOOKUP_H_
