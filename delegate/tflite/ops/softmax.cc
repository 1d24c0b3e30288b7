#include "delegate/engine/ops/softmax.h"

#include "delegate/tflite/translate.h"

namespace sbnn {

Status TranslateSoftmax(const NodeView& view, Translation* t) {
  if (LayoutOf(view.shape(t->inputs[0])) == Layout::kPanel) {
    return Status::Error("a softmax over the channels of an image is not supported");
  }
  t->op = std::make_unique<Softmax>(view.params<SoftmaxParams>().beta);
  return Status();
}

}  // namespace sbnn
