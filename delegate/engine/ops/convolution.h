// CONV_2D with dense or sparse weights.
#ifndef SBNN_DELEGATE_ENGINE_OPS_CONVOLUTION_H_
#define SBNN_DELEGATE_ENGINE_OPS_CONVOLUTION_H_

#include <memory>
#include <vector>

#include "delegate/engine/op.h"
#include "delegate/engine/ops/matrix.h"
#include "delegate/engine/window.h"
#include "delegate/format/packed_weights.h"

namespace sbnn {

class Convolution : public Op {
 public:
  // `weights.taps` are the window's, row-major.
  Convolution(std::shared_ptr<const PackedWeights> weights, const Window& window, float lo,
              float hi);

  Status InferShape(const std::vector<Shape>& inputs, Shape* output) const override;
  bool TakesFlatImages(const Shape& shape) const override;
  bool AbsorbMargin(const Margin& margin) override;
  bool Takes(const Epilogue& epilogue) const override { return Epilogue(limits_).Then(epilogue); }
  Status Plan(const std::vector<const Tensor*>& inputs, const Tensor& output,
              const PlanContext& context, size_t* scratch) override;
  void Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
           const RunContext& context) const override;

 private:
  // A band of output rows with all the input that it needs, in zero-padded phases: input pixel
  // (y, x) of the padded band lies in plane (y % stride_h, x % stride_w), so that a tap is one
  // offset for all output pixels.
  struct Band {
    PlacedWindow placed;
    int out_rows = 0;
    int rows = 0;                   // of a phase plane
    int length = 0;                 // of its rows
    size_t plane = 0, channel = 0;  // floats between phase planes and between channels
    size_t size = 0;
    size_t result = 0;  // floats of a tile of all outputs, behind the band
  };

  bool Pointwise(const Images& image) const;
  Status PlanOffsets(size_t channel_stride, const std::vector<int64_t>& tap_offset);
  void PlaceBand(const Images& in, const Images& out, int out_rows);
  void PadChannel(const Tensor& input, int n, int c, int first_row, float* padded,
                  const Kernels& kernels) const;
  void RunPointwise(const Tensor& input, const Tensor* add, const Tensor& output,
                    const RunContext& context) const;
  void RunBands(const Tensor& input, const Tensor* add, const Tensor& output,
                const RunContext& context) const;
  int BandTasks() const;
  void RunBandTask(const Tensor* add, const Tensor& output, int n, int first_row, int task,
                   const float* padded, float* result, const Kernels& kernels) const;
  void CopyOut(const Tensor* add, const Tensor& output, int n, int first_row, size_t first,
               size_t last, const SpmmArgs& args, const Kernels& kernels) const;
  SpmmArgs Args(const float* x, float* y, size_t y_stride) const;

  std::shared_ptr<const PackedWeights> weights_;
  Window window_;
  const Epilogue limits_;

  // Of the plan.
  Epilogue epilogue_;  // limits included
  std::vector<int32_t> offset_bytes_;
  TaskGrid grid_;         // of a whole plane, a band, or one row
  bool by_rows_ = false;  // rows of the output are whole vectors: they are written in place
  Band band_;
  int bands_ = 1;
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_OPS_CONVOLUTION_H_
