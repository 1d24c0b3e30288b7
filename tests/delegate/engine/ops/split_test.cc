#include <memory>
#include <vector>

#include "delegate/engine/ops/split.h"
#include "gtest/gtest.h"
#include "tests/delegate/engine/elements.h"
#include "tests/delegate/random.h"
#include "tests/delegate/running.h"

namespace sbnn {
namespace {

TEST(Split, EveryDimension) {
  Random random(2);
  for (const Shape& shape : std::vector<Shape>{{4, 6, 10, 12}, {2, 1, 1, 12}, {6, 8}, {2, 4, 6}}) {
    for (int axis = 0; axis < static_cast<int>(shape.size()); ++axis) {
      for (int count : {1, 2, 3}) {
        if (shape[axis] % count != 0) continue;
        const Array x = RandomArray(shape, &random);
        Network network;
        std::vector<int> outputs;
        std::vector<Array> want;
        Shape part = shape;
        part[axis] /= count;
        for (int i = 0; i < count; ++i) {
          network.AddOp(std::make_unique<Split>(axis, count, i), {0}, i + 1);
          outputs.push_back(i + 1);
          want.push_back(Make(part, [&](Index at) {
            at[axis] += i * part[axis];
            return At(x, at);
          }));
        }
        network.SetInputs({0});
        network.SetOutputs(outputs);
        ExpectEverywhere(&network, {x}, want);
        if (HasFatalFailure()) return;
      }
    }
  }
  EXPECT_NE(Refusal(std::make_unique<Split>(1, 2, 0), {4, 5}), "");
  EXPECT_NE(Refusal(std::make_unique<Split>(2, 2, 0), {4, 4}), "");
  EXPECT_NE(Refusal(std::make_unique<Split>(0, 0, 0), {4, 4}), "");
}

}  // namespace
}  // namespace sbnn
