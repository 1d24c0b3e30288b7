#include <memory>
#include <vector>

#include "delegate/engine/ops/reshape.h"
#include "gtest/gtest.h"
#include "tests/delegate/engine/elements.h"
#include "tests/delegate/random.h"
#include "tests/delegate/reference.h"
#include "tests/delegate/running.h"

namespace sbnn {
namespace {

TEST(Reshape, EveryLayout) {
  Random random(12);
  const struct {
    Shape from, to, result;
  } cases[] = {
      {{2, 4, 6, 8}, {2, 6, 4, 8}, {2, 6, 4, 8}},    // panel to panel
      {{2, 4, 6, 8}, {1, 8, 3, -1}, {1, 8, 3, 16}},  // images become others
      {{2, 4, 6, 8}, {-1, 192}, {2, 192}},           // panel to flat
      {{2, 4, 6, 8}, {384, 1, 1, 1}, {384, 1, 1, 1}},
      {{2, 192}, {2, 4, 6, 8}, {2, 4, 6, 8}},  // flat to panel
      {{2, 1, 1, 24}, {2, -1, 3, 2}, {2, 4, 3, 2}},
      {{2, 1, 1, 24}, {2, 24}, {2, 24}},  // flat to flat
      {{3, 5}, {-1}, {15}},
      {{3, 5}, {3, 1, 1, 5}, {3, 1, 1, 5}},
      {{2, 3, 4, 5, 6}, {6, 4, 5, 6}, {6, 4, 5, 6}},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(testing::PrintToString(c.to));
    const Array x = RandomArray(c.from, &random);
    ExpectEverywhere(std::make_unique<Reshape>(c.to), x, Array(c.result, x.data));
  }
  EXPECT_NE(Refusal(std::make_unique<Reshape>(Shape{4, 4}), {3, 5}), "");
  EXPECT_NE(Refusal(std::make_unique<Reshape>(Shape{-1, 4}), {3, 5}), "");
  EXPECT_NE(Refusal(std::make_unique<Reshape>(Shape{-1, -1}), {3, 5}), "");
  EXPECT_NE(Refusal(std::make_unique<Reshape>(Shape{-1, 0}), {3, 5}), "");
  EXPECT_NE(Refusal(std::make_unique<Reshape>(Shape{-1, 30}), {3, 5}), "");
}

TEST(Squeeze, AndExpand) {
  Random random(8);
  const Array x = RandomArray({2, 1, 5, 1, 3}, &random);
  const auto with = [&](const Shape& shape) { return Array(shape, x.data); };
  ExpectEverywhere(std::make_unique<Squeeze>(Index{}), x, with({2, 5, 3}));
  ExpectEverywhere(std::make_unique<Squeeze>(Index{1}), x, with({2, 5, 1, 3}));
  ExpectEverywhere(std::make_unique<Squeeze>(Index{-2, 1}), x, with({2, 5, 3}));
  ExpectEverywhere(std::make_unique<ExpandDims>(0), with({2, 5, 3}), with({1, 2, 5, 3}));
  ExpectEverywhere(std::make_unique<ExpandDims>(-1), with({2, 5, 3}), with({2, 5, 3, 1}));
  EXPECT_NE(Refusal(std::make_unique<Squeeze>(Index{0}), {2, 1}), "");
  EXPECT_NE(Refusal(std::make_unique<Squeeze>(Index{2}), {2, 1}), "");
  EXPECT_NE(Refusal(std::make_unique<Squeeze>(Index{}), {1, 1}), "");
  EXPECT_NE(Refusal(std::make_unique<ExpandDims>(3), {2, 1}), "");
  EXPECT_NE(Refusal(std::make_unique<ExpandDims>(-4), {2, 1}), "");
}

}  // namespace
}  // namespace sbnn
