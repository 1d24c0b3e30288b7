// FULLY_CONNECTED of int8 weights between floats ("dynamic range").
#ifndef SBNN_DELEGATE_ENGINE_OPS_INT8_DYNAMIC_FULLY_CONNECTED_H_
#define SBNN_DELEGATE_ENGINE_OPS_INT8_DYNAMIC_FULLY_CONNECTED_H_

#include <memory>
#include <string>
#include <vector>

#include "delegate/engine/int8_matrix.h"
#include "delegate/engine/op.h"
#include "delegate/engine/ops/int8/dynamic_outputs.h"
#include "delegate/format/int8_weights.h"

namespace sbnn {

// Each row of inputs is rounded by a scale and a zero point of its own.
class DynamicFullyConnected : public Op {
 public:
  DynamicFullyConnected(std::shared_ptr<const Int8Weights> weights, DynamicOutputs outputs,
                        bool keep_dims);

  Status InferShape(const std::vector<Shape>& inputs, Shape* output) const override;
  Status Plan(const std::vector<const Tensor*>& inputs, const Tensor& output,
              const PlanContext& context, uint64_t* scratch) override;
  void Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
           const RunContext& context) const override;
  std::string Remark() const override { return "inputs rounded to int8 by rows"; }
  std::vector<Range> Constants() const override;

 private:
  bool OneVector() const;
  void Round(const float* x, const RunContext& context) const;
  void RunVector(float* y, const RunContext& context) const;
  void RunRows(float* y, const RunContext& context) const;

  std::shared_ptr<const Int8Weights> weights_;
  const DynamicOutputs outputs_;
  const bool keep_dims_;

  // Of the plan.
  const int8::Kernels* kernels_ = nullptr;
  size_t rows_ = 0, y_stride_ = 0;
  uint64_t x_stride_ = 0;
  int chunks_ = 1;  // of outputs, for one row
  std::vector<int32_t> offset_;
  Int8Grid grid_;
  // In the scratch: floats row by row, where a tensor has them otherwise; rounded rows; these as
  // the kernels read them; scales, scales back and zero points; results.
  uint64_t flat_x_at_ = 0, flat_y_at_ = 0, rows_at_ = 0, x_at_ = 0, y_at_ = 0;
  uint64_t scales_at_ = 0, back_at_ = 0, zero_points_at_ = 0;
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_OPS_INT8_DYNAMIC_FULLY_CONNECTED_H_
