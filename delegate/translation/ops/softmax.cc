#include "delegate/engine/ops/softmax.h"

#include "delegate/translation/translate.h"

namespace sbnn {

Status TranslateSoftmax(const NodeView& view, Translation* t) {
  t->op = std::make_unique<Softmax>(view.params<SoftmaxParams>().beta);
  return Status();
}

}  // namespace sbnn
