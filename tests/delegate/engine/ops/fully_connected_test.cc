#include <algorithm>
#include <memory>
#include <vector>

#include "delegate/engine/ops/fully_connected.h"
#include "gtest/gtest.h"
#include "tests/delegate/engine/cases.h"

namespace sbnn {
namespace {

TEST(FullyConnected, Shapes) {
  Random random(10);
  const struct {
    Shape input;
    int inputs, outputs;
    bool keep_dims;
    Shape output;
  } cases[] = {
      {{1, 8}, 8, 5, false, {1, 5}},
      {{3, 7}, 7, 9, false, {3, 9}},
      {{3, 7}, 7, 9, true, {3, 9}},
      {{2, 3, 8}, 8, 4, true, {2, 3, 4}},
      {{2, 3, 8}, 8, 4, false, {6, 4}},
      {{2, 3, 8}, 24, 4, false, {2, 4}},
      {{4, 1, 1, 6}, 6, 3, false, {4, 3}},
      {{4, 1, 1, 6}, 6, 3, true, {4, 1, 1, 3}},
      {{10}, 10, 4, false, {1, 4}},
      {{10}, 10, 4, true, {4}},
      {{2, 300}, 300, 200, false, {2, 200}},  // enough weights for threads
      {{2, 3, 5, 7}, 7, 9, true, {2, 3, 5, 9}},
      {{2, 3, 5, 7}, 7, 9, false, {30, 9}},
      {{2, 3, 5, 7}, 105, 9, false, {2, 9}},
      // Rows that are pixels: below, at and above a tile.
      {{4, 8}, 8, 5, false, {4, 5}},
      {{17, 30}, 30, 21, true, {17, 21}},
      {{64, 24}, 24, 9, true, {64, 9}},
      {{2, 100, 16}, 16, 12, true, {2, 100, 12}},
      {{3, 7, 9, 10}, 10, 6, true, {3, 7, 9, 6}},
      {{3, 7, 9, 10}, 30, 6, false, {63, 6}},
      {{40, 260}, 260, 140, false, {40, 140}},
  };
  for (const auto& c : cases) {
    for (int group : {1, 2, 4, 8, kUnstructured}) {
      for (double density : {0.3, 1.0}) {
        SCOPED_TRACE(testing::Message()
                     << testing::PrintToString(c.input) << " groups of " << group);
        const Shape shape = {c.outputs, c.inputs};
        const std::vector<float> filter =
            random.Filter(c.outputs, c.inputs, std::max(1, group), density);
        const std::vector<float> bias = random.Floats(c.outputs);
        const Limits limits = RandomLimits(&random);
        const Array x = RandomArray(c.input, &random);
        ExpectEverywhere(
            std::make_unique<FullyConnected>(PackAs(filter, shape, bias, group, density < 1),
                                             c.keep_dims, limits.lo, limits.hi),
            x,
            Array(c.output, ReferenceFullyConnected(x.data, filter, bias, limits.lo, limits.hi)));
        if (HasFatalFailure()) return;
      }
    }
  }
  const auto layer = [&](bool keep_dims) {
    const std::vector<float> bias(2, 0.0f);
    return std::make_unique<FullyConnected>(PackAs(random.Floats(6), {2, 3}, bias, 1, false),
                                            keep_dims, -kInfinity, kInfinity);
  };
  EXPECT_NE(Refusal(layer(false), {1, 4}), "");
  EXPECT_NE(Refusal(layer(true), {1, 6}), "");
}

}  // namespace
}  // namespace sbnn
