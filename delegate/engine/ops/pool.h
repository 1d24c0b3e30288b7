// MAX_POOL_2D and AVERAGE_POOL_2D.
#ifndef SBNN_DELEGATE_ENGINE_OPS_POOL_H_
#define SBNN_DELEGATE_ENGINE_OPS_POOL_H_

#include <vector>

#include "delegate/engine/direct_pool.h"
#include "delegate/engine/op.h"
#include "delegate/engine/padded_rows.h"
#include "delegate/engine/separable_pool.h"
#include "delegate/engine/small_pool.h"
#include "delegate/engine/window.h"

namespace sbnn {

class Pool : public RowOp {
 public:
  Pool(bool average, const Window& window, float lo, float hi)
      : average_(average), window_(window), lo_(lo), hi_(hi) {}

  Status InferShape(const std::vector<Shape>& inputs, Shape* output) const override;
  bool AbsorbMargin(const Margin& margin) override;
  TypeUse UseOf(ElementType type, const std::vector<Shape>&) const override {
    return IsFloat(type) ? TypeUse::kIfGiven : TypeUse::kNever;
  }
  Status Plan(const std::vector<const Tensor*>& inputs, const Tensor& output,
              const PlanContext& context, uint64_t* scratch) override;
  void Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
           const RunContext& context) const override;
  RowOp* AsRowOp(const std::vector<Shape>&) override { return this; }
  Rows RowsRead(const Shape& input, Rows output) const override {
    return RowsMet(window_, input, output);
  }
  Status PlanRows(const std::vector<const Tensor*>& inputs, const Tensor& output,
                  const PlanContext& context, int most_rows, uint64_t* scratch) override;
  void RunRows(const std::vector<const Tensor*>& inputs, const Tensor& output, int n, Rows rows,
               const RunContext& context) const override;

 private:
  enum class Way { kWhole, kDirect, kSmall, kSeparable, kPadded };
  Way WayOf(const PlacedWindow& placed, const Tensor& input, const Tensor& output) const;

  // For rows that are copied with padding around them.
  void PlanPadded(const PlacedWindow& placed, const Images& in, const PlanContext& context,
                  uint64_t* scratch);
  // Rows of a channel, no more than fit `padded`.
  void RunChannel(const Tensor& input, const Tensor& output, int n, int c, Rows rows,
                  const Kernels& kernels, void* padded) const;

  bool average_;
  Window window_;
  float lo_, hi_;

  // Of the plan.
  Way way_ = Way::kPadded;
  DirectPool direct_pool_;
  SmallPool small_pool_;
  SeparablePool separable_pool_;
  PaddedRows rows_;
  std::vector<float> row_scale_, column_scale_;  // 1 / how many rows and columns a window covers
  Values row_scales_, column_scales_;            // the same for the kernels
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_OPS_POOL_H_
