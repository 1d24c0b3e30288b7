#include "delegate/engine/ops/strided_slice.h"

#include "delegate/engine/ops/numbers.h"
#include "delegate/translation/operators.h"
#include "delegate/translation/translate.h"
#include "tensorflow/lite/builtin_ops.h"

namespace sbnn {
namespace {

// Bit i of a mask is about dimension i.
struct StridedSliceParams {
  int32_t begin_mask;     // begin is the first element
  int32_t end_mask;       // end is behind the last element
  int32_t ellipsis_mask;  // all dimensions that are not named
  int32_t new_axis_mask;
  int32_t shrink_axis_mask;  // one element, and the dimension is dropped
  bool end_is_offset;        // from begin
};
StridedSliceParams ReadStridedSlice(const FlatTable& t) {
  return {t.Get<int32_t>(0), t.Get<int32_t>(1), t.Get<int32_t>(2),
          t.Get<int32_t>(3), t.Get<int32_t>(4), ReadFlag(t, 5)};
}

Status TranslateStridedSlice(const NodeView& view, Translation* t) {
  const auto& params = view.params<StridedSliceParams>();
  if (params.ellipsis_mask != 0 || params.new_axis_mask != 0 || params.end_is_offset) {
    return Status::Error("a slice with an ellipsis, a new axis or offsets");
  }
  if (view.input_count() != 4) return Status::Error("expected begin, end and strides");
  Slice slice;
  std::vector<int>* const lists[] = {&slice.begin, &slice.end, &slice.stride};
  for (int i = 0; i < 3; ++i) {
    const Status status = view.constants.Ints(view.context, view.input(i + 1), lists[i]);
    if (!status.ok()) return Status::Error("begin, end or strides: " + status.message());
  }
  slice.begin_mask = params.begin_mask;
  slice.end_mask = params.end_mask;
  slice.shrink_mask = params.shrink_axis_mask;
  PlacedSlice placed;
  const int input = view.input(0);
  const bool numbers = view.numbers(input);
  if (t->inputs[0] != input || numbers != view.numbers(t->output)) {
    return Status::Error(
        "expected a tensor that changes from run to run, and a result of its type");
  }
  const Status status = Place(slice, view.shape(input), &placed);
  if (!status.ok()) return status;
  if (!numbers && placed.shape.empty()) return Status::Error("a slice to a scalar");
  if (numbers) {
    t->op = std::make_unique<SliceNumbers>(std::move(slice));
  } else {
    t->op = std::make_unique<StridedSlice>(std::move(slice));
  }
  return Status();
}

}  // namespace

std::vector<Operator> StridedSliceOperators() {
  return {Operator(kTfLiteBuiltinStridedSlice, 8, TranslateStridedSlice)
              .Holds(Types::kMoved)
              .Parameters<ReadStridedSlice>(32)
              .NumbersIn(1u)
              .NumbersOut()};
}

}  // namespace sbnn
