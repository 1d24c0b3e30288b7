#include "delegate/engine/ops/transpose_convolution.h"

#include "delegate/translation/int8_layer.h"
#include "delegate/translation/operators.h"
#include "delegate/translation/translate.h"
#include "tensorflow/lite/builtin_ops.h"

namespace sbnn {
namespace {

TransposeConvParams ReadTransposeConv(const FlatTable& t) {
  return {ReadPaddingKind(t, 0), t.Get<int32_t>(1), t.Get<int32_t>(2), ReadActivation(t, 3)};
}

// Inputs: the output's shape, the filter (OHWI), the image, perhaps a bias.
Status TranslateTransposeConvolution(const NodeView& view, Translation* t) {
  if (view.input_count() < 3) return Status::Error("expected a shape, a filter and an input");
  if (t->inputs[0] != view.input(2)) return Status::Error("a constant is convolved");
  Status status = CheckRank(view, t->inputs[0], 4);
  if (!status.ok()) return status;
  Shape output;
  status = view.constants.Ints(view.context, view.input(0), &output);
  if (!status.ok()) return Status::Error("the output's shape: " + status.message());
  if (output.size() != 4) return Status::Error("an output's shape without 4 dimensions");
  for (int d : output) {
    if (d < 1 || d > 65536) return Status::Error("an output's dimension of " + std::to_string(d));
  }
  if (t->quantized()) return TranslateInt8TransposeConvolution(view, output, t);
  Constant filter;
  status = ReadFilter(view, 1, &filter);
  if (!status.ok()) return status;
  const int outputs = filter.shape[0], inputs = filter.shape[3];
  const Shape image = view.shape(t->inputs[0]);
  if (image[3] != inputs || image[0] != output[0] || outputs != output[3]) {
    return Status::Error("the shapes of input, filter and output do not fit together");
  }
  const auto& params = view.params<TransposeConvParams>();
  float lo, hi;
  status = ReadClamp(params.activation, &lo, &hi);
  if (!status.ok()) return status;
  std::vector<float> bias;
  status = ReadBias(view, 3, outputs, &bias);
  if (!status.ok()) return status;
  Window window;
  window.kernel_h = filter.shape[1];
  window.kernel_w = filter.shape[2];
  window.stride_h = params.stride_height;
  window.stride_w = params.stride_width;
  window.same = params.padding == PaddingKind::kSame;
  status = CheckWindow(window);
  if (!status.ok()) return status;
  // Of every phase all outputs are computed, in whole groups.
  if (static_cast<int64_t>(window.stride_h) * window.stride_w * (outputs + kMaxGroup) > 1 << 20) {
    return Status::Error("a stride of " + std::to_string(window.stride_h) + " x " +
                         std::to_string(window.stride_w) + " for " + std::to_string(outputs) +
                         " outputs");
  }

  t->heavy = true;
  std::shared_ptr<const PackedWeights> packed;
  status = PackWeights(view, filter, bias, Structured(view.kernels.column_cost), &packed);
  if (!status.ok()) return status;
  t->op = std::make_unique<TransposeConvolution>(*packed, window, output, lo, hi);
  return Status();
}

}  // namespace

std::vector<Operator> TransposeConvolutionOperators() {
  return {Operator(kTfLiteBuiltinTransposeConv, 5, TranslateTransposeConvolution)
              .Holds(Types::kQuantized)
              .Parameters<ReadTransposeConv>(49)
              .Costs(Work::kConvolution)};
}

}  // namespace sbnn
