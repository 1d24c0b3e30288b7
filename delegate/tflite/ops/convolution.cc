#include "delegate/engine/ops/convolution.h"

#include "delegate/tflite/translate.h"

namespace sbnn {

Status TranslateConvolution(const NodeView& view, Translation* t) {
  if (view.input_count() < 2) return Status::Error("expected an input and a filter");
  Status status = CheckFloatTensor(view, t->inputs[0], 4);
  if (!status.ok()) return status;
  Constant filter;
  status = view.constants.Floats(view.context, view.input(1), &filter);
  if (!status.ok()) return status;
  if (filter.shape.size() != 4) return Status::Error("a filter without 4 dimensions");
  const int outputs = filter.shape[0], inputs = filter.shape[3];
  if (view.tensor(t->inputs[0]).dims->data[3] != inputs) {
    return Status::Error("grouped convolution is not supported");
  }
  if (static_cast<int64_t>(filter.shape[1]) * filter.shape[2] * inputs > 65536) {
    return Status::Error("a filter of more than 65536 inputs and taps");
  }
  const auto& params = view.params<ConvParams>();
  float lo, hi;
  status = ReadClamp(params.activation, &lo, &hi);
  if (!status.ok()) return status;
  std::vector<float> bias;
  status = ReadBias(view, 2, outputs, &bias);
  if (!status.ok()) return status;

  const Window window = MakeWindow(params, filter.shape[1], filter.shape[2]);
  status = CheckWindow(window);
  if (!status.ok()) return status;

  t->heavy = true;
  std::shared_ptr<const PackedWeights> packed;
  status = PackWeights(view, filter, bias, &packed);
  if (!status.ok()) return status;
  t->op = std::make_unique<Convolution>(std::move(packed), window, lo, hi);
  return Status();
}

}  // namespace sbnn
