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
  status = PackInt8Weights(view, layer, layer.filter, kInt8VectorCost, t, &packed);
  if (!status.ok()) return status;
  t->op =
      std::make_unique<Int8FullyConnected>(std::move(packed), params.keep_num_dims, layer.limits);
  return Status();
}

}  // namespace sbnn
