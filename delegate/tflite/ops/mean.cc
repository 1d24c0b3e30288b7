#include "delegate/engine/ops/mean.h"

#include <algorithm>

#include "delegate/tflite/translate.h"

namespace sbnn {

Status TranslateMean(const NodeView& view, Translation* t) {
  Status status = CheckFloatTensor(view, t->inputs[0], 4);
  if (!status.ok()) return status;
  std::vector<int> axes;
  status = view.constants.Ints(view.context, view.input(1), &axes);
  if (!status.ok()) return Status::Error("axes: " + status.message());
  for (int& axis : axes) axis = axis < 0 ? axis + 4 : axis;
  std::sort(axes.begin(), axes.end());
  axes.erase(std::unique(axes.begin(), axes.end()), axes.end());
  if (axes != std::vector<int>{1, 2}) return Status::Error("a mean over other axes than 1 and 2");
  t->op = std::make_unique<Mean>(view.params<ReducerParams>().keep_dims);
  return Status();
}

}  // namespace sbnn
