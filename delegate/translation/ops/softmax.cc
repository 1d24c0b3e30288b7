#include "delegate/engine/ops/softmax.h"

#include <string>

#include "delegate/engine/ops/int8/softmax.h"
#include "delegate/translation/operators.h"
#include "delegate/translation/translate.h"
#include "tensorflow/lite/builtin_ops.h"

namespace sbnn {
namespace {

struct SoftmaxParams {
  float beta;
};
SoftmaxParams ReadSoftmax(const FlatTable& t) { return {t.Get<float>(0)}; }

Status TranslateSoftmax(const NodeView& view, Translation* t) {
  const float beta = view.params<SoftmaxParams>().beta;
  if (t->quantized()) {
    // (Powers of others are beyond what floats hold.)
    if (!(beta >= 0 && beta <= 1e6f)) {
      return Status::Error("expected a beta from 0 to 1e6, found " + std::to_string(beta));
    }
    t->op = std::make_unique<Int8Softmax>(beta);
  } else {
    t->op = std::make_unique<Softmax>(beta);
  }
  return Status();
}

}  // namespace

std::vector<Operator> SoftmaxOperators() {
  return {Operator(kTfLiteBuiltinSoftmax, 4, TranslateSoftmax)
              .Holds(Types::kQuantized)
              .Parameters<ReadSoftmax>(9)
              .Costs(Work::kFunction)};
}

}  // namespace sbnn
