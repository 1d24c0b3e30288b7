// What only moves elements, of any type.
#ifndef SBNN_DELEGATE_ENGINE_MOVING_OP_H_
#define SBNN_DELEGATE_ENGINE_MOVING_OP_H_

#include <vector>

#include "delegate/engine/op.h"

namespace sbnn {

class MovingOp : public Op {
 public:
  TypeUse UseOf(ElementType type, const std::vector<Shape>&) const override {
    return type == ElementType::kInt8 ? TypeUse::kIfGiven : TypeUse::kNever;
  }
  LayoutUse Reads(Layout layout, const std::vector<Shape>&) const override {
    return layout == Layout::kQuads ? LayoutUse::kCannot : LayoutUse::kCan;
  }
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_MOVING_OP_H_
