#include "delegate/engine/ops/strided_slice.h"

#include "delegate/engine/ops/numbers.h"
#include "delegate/translation/translate.h"

namespace sbnn {

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

}  // namespace sbnn
