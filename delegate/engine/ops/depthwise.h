// DEPTHWISE_CONV_2D.
#ifndef SBNN_DELEGATE_ENGINE_OPS_DEPTHWISE_H_
#define SBNN_DELEGATE_ENGINE_OPS_DEPTHWISE_H_

#include <memory>
#include <string>
#include <vector>

#include "delegate/engine/kept_taps.h"
#include "delegate/engine/op.h"
#include "delegate/engine/padded_rows.h"
#include "delegate/engine/window.h"

namespace sbnn {

// The filter by output channel: [channels][taps].
struct DepthwiseWeights {
  int channels = 0;
  int multiplier = 1;  // outputs of one input channel
  std::vector<float> taps;
  std::vector<float> bias;
};

class Depthwise : public RowOp {
 public:
  Depthwise(std::shared_ptr<const DepthwiseWeights> weights, const Window& window, float lo,
            float hi);

  Status InferShape(const std::vector<Shape>& inputs, Shape* output) const override;
  bool AbsorbMargin(const Margin& margin) override;
  bool Takes(const Epilogue& epilogue) const override {
    return !epilogue.add && Epilogue(limits_).Then(epilogue);
  }
  TypeUse UseOf(ElementType type, const std::vector<Shape>&) const override {
    return IsFloat(type) ? TypeUse::kAsksFor : TypeUse::kNever;
  }
  Status Plan(const std::vector<const Tensor*>& inputs, const Tensor& output,
              const PlanContext& context, uint64_t* scratch) override;
  bool MayOverwrite(const Tensor& input, const Tensor& output, int threads) const override;
  void Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
           const RunContext& context) const override;
  std::string Remark() const override;
  RowOp* AsRowOp(const std::vector<Shape>&) override { return this; }
  Rows RowsRead(const Shape& input, Rows output) const override {
    return RowsMet(window_, input, output);
  }
  Status PlanRows(const std::vector<const Tensor*>& inputs, const Tensor& output,
                  const PlanContext& context, int, uint64_t* scratch) override {
    return Plan(inputs, output, context, scratch);
  }
  void RunRows(const std::vector<const Tensor*>& inputs, const Tensor& output, int n, Rows rows,
               const RunContext& context) const override;

 private:
  bool SmallWindow() const;
  // Null where there is none for this window and these planes.
  DepthwiseDirectFn DirectKernel(const Tensor& input, const Tensor& output,
                                 const Kernels& kernels) const;
  // Null where it does not take this window or planes, or is slower than that one.
  DepthwiseTapsFn SkippingKernel(const Tensor& input, const Tensor& output,
                                 const Kernels& kernels) const;
  // Channels [first, end) of some output rows; then what follows them.
  void RunChannels(const Tensor& input, const Tensor& output, int n, int first, int end, Rows rows,
                   const Kernels& kernels, void* padded) const;
  void RunInPlace(const Tensor& input, const Tensor& output, int n, int first, int end,
                  void* scratch) const;
  void Activate(const Tensor& output, int n, int first, int end, Rows rows,
                const Kernels& kernels) const;
  // Output rows [first_row, first_row + rows). (Of RunPlanes, the first channel lies at `x`.)
  void RunPlanes(const Tensor& input, const void* x, const Tensor& output, int n, int first_channel,
                 int channels, int first_row, int rows) const;
  void RunPadded(const Tensor& input, const Tensor& output, int n, int c, int first_row, int rows,
                 const Kernels& kernels, void* padded) const;

  std::shared_ptr<const DepthwiseWeights> weights_;
  Window window_;
  const Epilogue limits_;
  const KeptTaps kept_;

  // Of the plan.
  Epilogue epilogue_;   // limits included
  Values taps_, bias_;  // taps: of a direct kernel all, otherwise those that are kept
  PlacedWindow placed_;
  DepthwiseDirectFn direct_ = nullptr;  // a kernel of this window that reads the panel itself
  DepthwiseTapsFn skipping_ = nullptr;  // or one that skips taps, with the others'
  TapShifts shifts_;
  PaddedRows rows_;                  // otherwise, with
  std::vector<int32_t> tap_offset_;  // of the kept taps
  int band_rows_ = 0;                // output rows done at a time
  int bands_ = 1;
  int channels_per_task_ = 1;
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_OPS_DEPTHWISE_H_
