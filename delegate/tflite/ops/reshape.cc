#include "delegate/engine/ops/reshape.h"

#include "delegate/tflite/translate.h"

namespace sbnn {

Status TranslateReshape(const NodeView& view, Translation* t) {
  Shape target;
  if (view.input(1) >= 0) {
    const Status status = view.constants.Ints(view.context, view.input(1), &target);
    if (!status.ok()) return Status::Error("new shape: " + status.message());
  } else {
    const auto& params = view.params<ReshapeParams>();
    if (params.num_dimensions < 0 || params.num_dimensions > 8) {
      return Status::Error("the new shape is missing");
    }
    target.assign(params.shape, params.shape + params.num_dimensions);
  }
  if (target.empty()) return Status::Error("a reshape to a scalar");
  int open = 0;
  for (int d : target) {
    if (d == -1) ++open;
    if (d == 0 || d < -1) return Status::Error("a reshape to a dimension of " + std::to_string(d));
  }
  if (open > 1) return Status::Error("a reshape with more than one open dimension");
  if (view.build) t->op = std::make_unique<Reshape>(std::move(target));
  return Status();
}

}  // namespace sbnn
