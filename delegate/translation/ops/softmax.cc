#include "delegate/engine/ops/softmax.h"

#include "delegate/engine/ops/int8/softmax.h"
#include "delegate/translation/translate.h"

namespace sbnn {

Status TranslateSoftmax(const NodeView& view, Translation* t) {
  const float beta = view.params<SoftmaxParams>().beta;
  if (t->quantized()) {
    t->op = std::make_unique<Int8Softmax>(beta);
  } else {
    t->op = std::make_unique<Softmax>(beta);
  }
  return Status();
}

}  // namespace sbnn
