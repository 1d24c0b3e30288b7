#include "delegate/engine/ops/numbers.h"
#include "delegate/translation/translate.h"

namespace sbnn {

Status TranslateShape(const NodeView& view, Translation* t) {
  if (!view.numbers(t->output)) return Status::Error("expected 32-bit integers");
  t->op = std::make_unique<ShapeOf>();
  return Status();
}

}  // namespace sbnn
