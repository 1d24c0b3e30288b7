#include "delegate/engine/ops/int8/fully_connected.h"
#include "delegate/translation/int8_layer.h"

namespace sbnn {

Status TranslateInt8FullyConnected(const NodeView& view, Translation* t) {
  const auto& params = view.params<FullyConnectedParams>();
  Int8Layer layer;
  Status status = ReadInt8Layer(view, *t, 1, 2, 0, params.activation, &layer);
  if (!status.ok()) return status;
  if (layer.filter.shape.size() != 2) return Status::Error("weights without 2 dimensions");
  t->heavy = true;
  std::shared_ptr<const Int8Weights> packed;
  const bool one_row =
      ElementCount(view.shape(t->inputs[0])) == static_cast<size_t>(layer.filter.shape[1]);
  const Int8Cost& cost = one_row ? kInt8VectorCost : int8::KernelsOf(view.kernels.isa)->cost;
  status = PackInt8Weights(view, layer, layer.filter, cost, t, &packed);
  if (!status.ok()) return status;
  t->op =
      std::make_unique<Int8FullyConnected>(std::move(packed), params.keep_num_dims, layer.limits);
  return Status();
}

}  // namespace sbnn
