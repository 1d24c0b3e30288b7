#include "delegate/engine/ops/int8/transpose_convolution.h"
#include "delegate/kernels/int8/table.h"
#include "delegate/translation/int8_layer.h"

namespace sbnn {
namespace {

constexpr int64_t kMostWeights = int64_t{1} << 26;  // of all phases

}  // namespace

// The node's shapes were checked: see TranslateTransposeConvolution.
Status TranslateInt8TransposeConvolution(const NodeView& view, const Shape& output,
                                         Translation* t) {
  const auto& params = view.params<TransposeConvParams>();
  Int8Layer layer;
  Status status = ReadInt8Layer(view, *t, 1, 3, 0, params.activation, &layer);
  if (!status.ok()) return status;
  const std::vector<int>& shape = layer.filter.shape;
  const Shape image = view.shape(t->inputs[0]);
  if (shape.size() != 4 || image[3] != shape[3] || image[0] != output[0] || shape[0] != output[3]) {
    return Status::Error("the shapes of input, filter and output do not fit together");
  }
  Window window;
  window.kernel_h = shape[1];
  window.kernel_w = shape[2];
  window.stride_h = params.stride_height;
  window.stride_w = params.stride_width;
  window.same = params.padding == PaddingKind::kSame;
  status = CheckWindow(window);
  if (!status.ok()) return status;
  // (There XNNPACK would pad by less than nothing, and TensorFlow Lite's own kernel rounds
  // otherwise.)
  const auto covers = [](int size, int stride, int kernel, int outputs) {
    return (int64_t{size} - 1) * stride + kernel >= outputs;
  };
  if (window.same && !(covers(image[1], window.stride_h, shape[1], output[1]) &&
                       covers(image[2], window.stride_w, shape[2], output[2]))) {
    return Status::Error("an output that the windows do not cover, in int8");
  }
  const int64_t lanes = (shape[0] + kQuad - 1) / kQuad * kQuad;
  const int64_t taps = int64_t{shape[1] + window.stride_h} * (shape[2] + window.stride_w);
  if (lanes * shape[3] > kMostWeights / taps) {
    return Status::Error("a filter of too many weights in all phases");
  }
  t->heavy = true;
  const auto phases = Int8TransposeConvolution::SplitPhases(layer.filter, window, &layer.outputs);
  Constant filter;
  filter.shape = phases.shape;
  filter.type = ElementType::kInt8;
  filter.values = phases.values.data();
  filter.value_count = phases.values.size();
  std::shared_ptr<const Int8Weights> packed;
  status = PackInt8Weights(view, layer, filter, BlocksOf(int8::KernelsOf(view.kernels.isa)->cost),
                           t, &packed);
  if (!status.ok()) return status;
  t->op =
      std::make_unique<Int8TransposeConvolution>(std::move(packed), window, output, layer.limits);
  return Status();
}

}  // namespace sbnn
