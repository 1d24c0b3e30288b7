#include <memory>
#include <vector>

#include "delegate/engine/ops/strided_slice.h"
#include "gtest/gtest.h"
#include "tests/delegate/engine/elements.h"
#include "tests/delegate/random.h"
#include "tests/delegate/running.h"

namespace sbnn {
namespace {

TEST(StridedSlice, AsNumPy) {
  Random random(7);
  for (int round = 0; round < 4 * kRounds; ++round) {
    const Shape shape = random.Pick(kShapes);
    Slice slice;
    Shape to;
    Index first, step;
    std::vector<bool> dropped;
    const int given = random.Int(0, static_cast<int>(shape.size()));
    for (int d = 0; d < static_cast<int>(shape.size()); ++d) {
      const int size = shape[d];
      if (d >= given) {
        to.push_back(size);
        first.push_back(0);
        step.push_back(1);
        dropped.push_back(false);
        continue;
      }
      const int from = random.Int(0, size - 1), until = random.Int(0, size - 1);
      const bool back = until < from, wrap = random.Chance(0.5);
      const int stride = random.Int(1, 3) * (back ? -1 : 1);
      int end = back ? until - 1 : until + 1;  // one behind the last
      if (back && end < 0) slice.end_mask |= 1 << d;
      if (!back && end == size && random.Chance(0.5)) end += 5;
      slice.begin.push_back(wrap ? from - size : from);
      slice.end.push_back(wrap && end < size ? end - size : end);
      slice.stride.push_back(stride);
      first.push_back(from);
      step.push_back(stride);
      dropped.push_back(!back && random.Chance(0.2) && shape.size() > 1 && d > 0);
      if (dropped[d]) {
        slice.shrink_mask |= 1 << d;
      } else {
        to.push_back(std::abs(until - from) / std::abs(stride) + 1);
      }
    }
    if (to.empty()) continue;
    const Array x = RandomArray(shape, &random);
    ExpectEverywhere(std::make_unique<StridedSlice>(slice), x, Make(to, [&](const Index& at) {
                       Index source;
                       size_t next = 0;
                       for (size_t d = 0; d < shape.size(); ++d) {
                         source.push_back(first[d] + (dropped[d] ? 0 : at[next++]) * step[d]);
                       }
                       return At(x, source);
                     }));
    if (HasFatalFailure()) return;
  }
  const auto refused = [](const Slice& slice) {
    return !Refusal(std::make_unique<StridedSlice>(slice), {4, 4}).empty();
  };
  EXPECT_FALSE(refused({{0, 0}, {9, 9}, {1, 1}}));
  EXPECT_TRUE(refused({{0, 0}, {9, 9}, {1, 0}}));
  EXPECT_FALSE(refused({{2, 0}, {2, 9}, {1, 1}})) << "nothing";
  EXPECT_TRUE(refused({{0, 0, 0}, {9, 9, 9}, {1, 1, 1}}));
  EXPECT_TRUE(refused({{0, 0}, {9}, {1, 1}}));
  EXPECT_TRUE(refused({{4, 0}, {5, 9}, {1, 1}, 0, 0, 1}));
  EXPECT_TRUE(refused({{-5, 0}, {5, 9}, {1, 1}, 0, 0, 1}));
  EXPECT_TRUE(refused({{0, 0}, {1, 1}, {1, 1}, 0, 0, 3})) << "a scalar";
  EXPECT_FALSE(refused({{-2147483647 - 1, 0}, {2147483647, 9}, {2147483647, 1}}));
  EXPECT_FALSE(refused({{2147483647, 0}, {-2147483647 - 1, 9}, {-2147483647 - 1, 1}}));
}

}  // namespace
}  // namespace sbnn
