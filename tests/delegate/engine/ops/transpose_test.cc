#include <algorithm>
#include <memory>
#include <vector>

#include "delegate/engine/ops/transpose.h"
#include "gtest/gtest.h"
#include "tests/delegate/engine/elements.h"
#include "tests/delegate/random.h"
#include "tests/delegate/running.h"

namespace sbnn {
namespace {

TEST(Transpose, AnyOrder) {
  Random random(1);
  std::vector<Shape> shapes = kShapes;
  shapes.push_back({1, 70, 60, 40});
  for (const Shape& shape : shapes) {
    std::vector<int> order;
    for (size_t d = 0; d < shape.size(); ++d) order.push_back(static_cast<int>(d));
    const Array x = RandomArray(shape, &random);
    do {
      SCOPED_TRACE(testing::PrintToString(shape) + testing::PrintToString(order));
      if (shape[0] * ElementCount(shape) > 100000 && order[0] > 1) continue;
      Shape to;
      for (int d : order) to.push_back(shape[d]);
      ExpectEverywhere(std::make_unique<Transpose>(order), x, Make(to, [&](const Index& at) {
                         Index from(at.size());
                         for (size_t d = 0; d < at.size(); ++d) from[order[d]] = at[d];
                         return At(x, from);
                       }));
      if (HasFatalFailure()) return;
    } while (shape.size() < 5 && std::next_permutation(order.begin(), order.end()));
  }
  EXPECT_NE(Refusal(std::make_unique<Transpose>(Index{0, 1, 1, 2}), {1, 2, 3, 4}), "");
  EXPECT_NE(Refusal(std::make_unique<Transpose>(Index{0, 1, 2, 4}), {1, 2, 3, 4}), "");
  EXPECT_NE(Refusal(std::make_unique<Transpose>(Index{0, 1, 2}), {1, 2, 3, 4}), "");
}

}  // namespace
}  // namespace sbnn
