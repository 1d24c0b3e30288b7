#include "delegate/engine/ops/pool.h"

#include "delegate/engine/ops/int8/pool.h"
#include "delegate/translation/operators.h"
#include "delegate/translation/translate.h"
#include "tensorflow/lite/builtin_ops.h"

namespace sbnn {
namespace {

struct PoolParams {
  PaddingKind padding;
  int32_t stride_width;
  int32_t stride_height;
  int32_t filter_width;
  int32_t filter_height;
  FusedActivation activation;
};
PoolParams ReadPool(const FlatTable& t) {
  return {ReadPaddingKind(t, 0), t.Get<int32_t>(1), t.Get<int32_t>(2),
          t.Get<int32_t>(3),     t.Get<int32_t>(4), ReadActivation(t, 5)};
}

Status TranslatePool(const NodeView& view, Translation* t) {
  Status status = CheckRank(view, t->inputs[0], 4);
  if (!status.ok()) return status;
  const auto& params = view.params<PoolParams>();
  float lo, hi;
  status = ReadClamp(params.activation, &lo, &hi);
  if (!status.ok()) return status;
  Window window;
  window.kernel_h = params.filter_height;
  window.kernel_w = params.filter_width;
  window.stride_h = params.stride_height;
  window.stride_w = params.stride_width;
  window.same = params.padding == PaddingKind::kSame;
  status = CheckWindow(window);
  if (!status.ok()) return status;
  t->window = window.kernel_h * window.kernel_w;
  const bool average = view.registration->builtin_code == kTfLiteBuiltinAveragePool2d;
  if (!t->quantized()) {
    t->op = std::make_unique<Pool>(average, window, lo, hi);
    return Status();
  }
  if (t->type(t->inputs[0]) != t->type(t->output)) {
    return Status::Error("a pooling between scales");  // TFLite refuses it as well
  }
  const bool unsigned_numbers = view.tensor(t->output).type == kTfLiteUInt8;
  t->op = std::make_unique<Int8Pool>(average, window, lo, hi, unsigned_numbers);
  return Status();
}

}  // namespace

std::vector<Operator> PoolOperators() {
  return {Operator(kTfLiteBuiltinAveragePool2d, 3, TranslatePool)
              .Holds(Types::kQuantized)
              .Parameters<ReadPool>(5)
              .Costs(Work::kPool),
          Operator(kTfLiteBuiltinMaxPool2d, 3, TranslatePool)
              .Holds(Types::kQuantized)
              .Parameters<ReadPool>(5)
              .Costs(Work::kPool)};
}

}  // namespace sbnn
