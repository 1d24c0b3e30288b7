#include "delegate/engine/ops/concatenation.h"

#include "delegate/tflite/translate.h"

namespace sbnn {

Status TranslateConcatenation(const NodeView& view, Translation* t) {
  if (static_cast<int>(t->inputs.size()) != view.input_count()) {
    return Status::Error("a constant is concatenated");
  }
  const auto& params = view.params<ConcatenationParams>();
  const int rank = static_cast<int>(view.shape(t->inputs[0]).size());
  if (params.axis != -1 && params.axis != rank - 1) {
    return Status::Error("a concatenation along another axis than the last");
  }
  for (int input : t->inputs) {
    if (static_cast<int>(view.shape(input).size()) != rank) {
      return Status::Error("operands of different rank");
    }
  }
  float lo, hi;
  const Status status = ReadClamp(params.activation, &lo, &hi);
  if (!status.ok()) return status;
  if (view.build) t->op = std::make_unique<Concatenation>(lo, hi);
  return Status();
}

}  // namespace sbnn
