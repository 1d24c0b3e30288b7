// CONV_2D with dense or sparse weights.
#ifndef SBNN_DELEGATE_ENGINE_OPS_CONVOLUTION_H_
#define SBNN_DELEGATE_ENGINE_OPS_CONVOLUTION_H_

#include <memory>
#include <vector>

#include "delegate/engine/lowered_input.h"
#include "delegate/engine/matrix.h"
#include "delegate/engine/op.h"
#include "delegate/engine/tile_panel.h"
#include "delegate/engine/window.h"
#include "delegate/format/packed_weights.h"

namespace sbnn {

class Convolution : public RowOp {
 public:
  // `weights.taps` are the window's, row-major. Grouped convolution: the input channels, and the
  // outputs, are split into `groups` equal groups, and outputs read the channels of their group
  // only; `weights.inputs` are those of one, and the outputs of a packed group are of one.
  Convolution(std::shared_ptr<const PackedWeights> weights, const Window& window, float lo,
              float hi, int groups = 1);

  Status InferShape(const std::vector<Shape>& inputs, Shape* output) const override;
  bool TakesFlatImages(const Shape& shape) const override;
  bool AbsorbMargin(const Margin& margin) override;
  bool Takes(const Epilogue& epilogue) const override {
    return !(epilogue.add && epilogue.activates) && Epilogue(limits_).Then(epilogue);
  }
  bool TakesGate(const Shape& input) const override;
  TypeUse UseOf(ElementType type, const std::vector<Shape>&) const override {
    return IsFloat(type) ? TypeUse::kAsksFor : TypeUse::kNever;
  }
  Status Plan(const std::vector<const Tensor*>& inputs, const Tensor& output,
              const PlanContext& context, uint64_t* scratch) override;
  void Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
           const RunContext& context) const override;
  std::vector<Range> Constants() const override;
  RowOp* AsRowOp(const std::vector<Shape>& inputs) override {
    return AsImages(inputs[0]).pixels() > 1 ? this : nullptr;
  }
  Rows RowsRead(const Shape& input, Rows output) const override {
    return RowsMet(window_, input, output);
  }
  Status PlanRows(const std::vector<const Tensor*>& inputs, const Tensor& output,
                  const PlanContext& context, int most_rows, uint64_t* scratch) override;
  void RunRows(const std::vector<const Tensor*>& inputs, const Tensor& output, int n, Rows rows,
               const RunContext& context) const override;

 private:
  bool Pointwise(const Images& image) const;
  bool IsVector(const Images& image) const;  // of pointwise convolutions
  void PlanConstants(const PlanContext& context);
  void RunPointwise(const Tensor& input, const Tensor* add, const Tensor& output,
                    const RunContext& context) const;
  void RunGated(const Tensor& input, const Tensor& gate, const Tensor* add, const Tensor& output,
                const RunContext& context) const;
  void PlanPanel(const std::vector<TaskGrid>& grids, const Tensor& input, const Kernels& kernels);
  void* PanelOf(int worker, const RunContext& context) const;
  void RunTask(const TaskGrid& grid, int task, const void* values, const void* x, const Tensor* add,
               const Tensor& output, int n, size_t pixel, void* panel,
               const RunContext& context) const;
  void RunBands(const Tensor& input, const Tensor* add, const Tensor& output,
                const RunContext& context) const;
  const TaskGrid& GridOf(int band) const;
  void RunTile(const TaskGrid& grid, const Tile& tile, const SpmmArgs& args,
               const RunContext& context) const;
  int BandTasks(int band) const;
  void RunBandTask(const Tensor* add, const Tensor& output, int n, int band, int task,
                   const void* lowered, const RunContext& context) const;
  SpmmArgs Args(const void* values, const void* x, void* y, size_t y_stride) const;

  std::shared_ptr<const PackedWeights> weights_;
  Window window_;
  const Epilogue limits_;
  const int groups_;

  // Of the plan.
  Epilogue epilogue_;   // limits included
  bool gated_ = false;  // see TakesGate
  Values values_, bias_;
  std::vector<int32_t> offset_bytes_;
  TaskGrid grid_;                    // of a whole plane, or of a stretch of a band
  TaskGrid last_grid_;               // of a stretch of the last band
  VectorGrid vector_grid_;           // of one pixel
  std::vector<TaskGrid> row_grids_;  // by rows, from 1: of what RunRows takes at a time
  LoweredInput lowered_;
  TilePanel panel_;            // of pointwise convolutions
  uint64_t panels_begin_ = 0;  // of the scratch: a panel for each worker
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_OPS_CONVOLUTION_H_
