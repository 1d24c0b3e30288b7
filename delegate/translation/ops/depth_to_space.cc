#include "delegate/engine/ops/depth_to_space.h"

#include "delegate/translation/operators.h"
#include "delegate/translation/translate.h"
#include "tensorflow/lite/builtin_ops.h"

namespace sbnn {
namespace {

struct BlockParams {
  int32_t block_size;
};
BlockParams ReadBlock(const FlatTable& t) { return {t.Get<int32_t>(0)}; }

Status TranslateDepthToSpace(const NodeView& view, Translation* t) {
  const int block = view.params<BlockParams>().block_size;
  std::unique_ptr<Op> op;
  if (view.registration->builtin_code == kTfLiteBuiltinDepthToSpace) {
    op = std::make_unique<DepthToSpace>(block);
  } else {
    op = std::make_unique<SpaceToDepth>(block);
  }
  Shape shape;
  const Status status = op->InferShape({view.shape(t->inputs[0])}, &shape);
  if (status.ok()) t->op = std::move(op);
  return status;
}

}  // namespace

std::vector<Operator> DepthToSpaceOperators() {
  return {Operator(kTfLiteBuiltinDepthToSpace, 2, TranslateDepthToSpace)
              .Holds(Types::kMoved)
              .Parameters<ReadBlock>(94),
          Operator(kTfLiteBuiltinSpaceToDepth, 2, TranslateDepthToSpace)
              .Holds(Types::kMoved)
              .Parameters<ReadBlock>(19)};
}

}  // namespace sbnn
