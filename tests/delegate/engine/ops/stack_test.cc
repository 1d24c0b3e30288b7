#include <memory>
#include <vector>

#include "delegate/engine/ops/stack.h"
#include "gtest/gtest.h"
#include "tests/delegate/engine/elements.h"
#include "tests/delegate/random.h"
#include "tests/delegate/running.h"

namespace sbnn {
namespace {

TEST(Stack, EveryDimension) {
  Random random(4);
  for (const Shape& shape : std::vector<Shape>{{2, 5, 7, 3}, {2, 5, 7}, {3, 4}, {6}}) {
    for (size_t axis = 0; axis <= shape.size(); ++axis) {
      const std::vector<Array> parts = {RandomArray(shape, &random), RandomArray(shape, &random)};
      Shape whole = shape;
      whole.insert(whole.begin() + axis, 2);
      Network network;
      network.AddOp(std::make_unique<Stack>(static_cast<int>(axis)), {0, 1}, 2);
      network.SetInputs({0, 1});
      network.SetOutputs({2});
      ExpectEverywhere(&network, parts, {Make(whole, [&](Index at) {
        const int part = at[axis];
        at.erase(at.begin() + axis);
        return At(parts[part], at);
      })});
      if (HasFatalFailure()) return;
    }
  }
}

}  // namespace
}  // namespace sbnn
