#include "delegate/engine/ops/pad.h"

#include "delegate/tflite/translate.h"

namespace sbnn {

Status TranslatePad(const NodeView& view, Translation* t) {
  Status status = CheckFloatTensor(view, t->inputs[0], 4);
  if (!status.ok()) return status;
  std::vector<int> p;  // before and after, for each dimension
  status = view.constants.Ints(view.context, view.input(1), &p);
  if (!status.ok()) return Status::Error("paddings: " + status.message());
  if (p.size() != 8) return Status::Error("expected 4 pairs of paddings");
  if (p[0] != 0 || p[1] != 0 || p[6] != 0 || p[7] != 0) {
    return Status::Error("the batch or the channels are padded");
  }
  Margin margin;
  margin.top = p[2];
  margin.bottom = p[3];
  margin.left = p[4];
  margin.right = p[5];
  for (int i = 2; i < 6; ++i) {
    if (p[i] < 0 || p[i] > 4096) return Status::Error("a padding of " + std::to_string(p[i]));
  }
  if (view.build) t->op = std::make_unique<Pad>(margin);
  return Status();
}

}  // namespace sbnn
