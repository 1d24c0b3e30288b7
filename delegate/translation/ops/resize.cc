#include "delegate/engine/ops/resize.h"

#include "delegate/engine/ops/int8/resize.h"
#include "delegate/translation/operators.h"
#include "delegate/translation/translate.h"
#include "tensorflow/lite/builtin_ops.h"

namespace sbnn {
namespace {

struct ResizeParams {
  bool align_corners;
  bool half_pixel_centers;
};
ResizeParams ReadBilinear(const FlatTable& t) { return {ReadFlag(t, 2), ReadFlag(t, 3)}; }
ResizeParams ReadNearest(const FlatTable& t) { return {ReadFlag(t, 0), ReadFlag(t, 1)}; }

Status TranslateResize(const NodeView& view, Translation* t) {
  if (t->inputs[0] != view.input(0)) return Status::Error("the input is a constant");
  const auto& params = view.params<ResizeParams>();
  const bool bilinear = view.registration->builtin_code == kTfLiteBuiltinResizeBilinear;
  if (bilinear && params.align_corners && params.half_pixel_centers) {
    return Status::Error("corners and centers of pixels are aligned at once");  // as in TFLite
  }
  std::vector<int> size = {0, 0};
  const bool known = t->inputs.size() == 1;
  if (known) {
    const Status status = view.constants.Ints(view.context, view.input(1), &size);
    if (!status.ok()) return Status::Error("size: " + status.message());
    if (size.size() != 2) return Status::Error("expected a height and a width");
  } else if (!view.numbers(t->inputs[1])) {
    return Status::Error("expected a size of whole numbers");
  }
  if (bilinear && t->quantized()) {
    if (!known) return Status::Error("a size that is not constant, of int8");
    t->op = std::make_unique<Int8Bilinear>(params.align_corners, params.half_pixel_centers, size[0],
                                           size[1]);
  } else {
    t->op = std::make_unique<Resize>(bilinear, params.align_corners, params.half_pixel_centers,
                                     size[0], size[1]);
  }
  if (!known) return Status();
  Shape shape;
  return t->op->InferShape({view.shape(t->inputs[0])}, &shape);
}

}  // namespace

std::vector<Operator> ResizeOperators() {
  return {Operator(kTfLiteBuiltinResizeBilinear, 4, TranslateResize)
              .Holds(Types::kQuantized)
              .Parameters<ReadBilinear>(15)
              .Inputs(2)
              .NumbersIn(2u)
              .Costs(Work::kFunction),
          Operator(kTfLiteBuiltinResizeNearestNeighbor, 4, TranslateResize)
              .Holds(Types::kMoved)
              .Parameters<ReadNearest>(74)
              .Inputs(2)
              .NumbersIn(2u)};
}

}  // namespace sbnn
