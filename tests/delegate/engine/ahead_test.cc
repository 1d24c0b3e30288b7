#include <cstddef>
#include <vector>

#include "delegate/engine/ahead.h"
#include "gtest/gtest.h"

namespace sbnn {
namespace {

TEST(Ahead, HandsOutEachByteInOrderOfUse) {
  const std::vector<char> first(100000), second(64), third(3 << 20);
  Ahead ahead;
  ahead.Clear();
  ahead.Add({first.data(), first.size()});
  ahead.EndStep();
  ahead.EndStep();  // a step that uses nothing new
  ahead.Add({second.data(), second.size()});
  ahead.Add({third.data(), third.size()});
  ahead.EndStep();
  for (int run = 0; run < 2; ++run) {
    ahead.Begin(0);
    EXPECT_EQ(ahead.Take(0).begin, nullptr);
    Ahead::Lines lines = ahead.Take(10);
    EXPECT_EQ(lines.begin, first.data());
    EXPECT_EQ(lines.step, 64u);
    lines = ahead.Take(10000);  // what is left of the range, in smaller steps
    EXPECT_EQ(lines.begin, first.data() + 640);
    EXPECT_EQ(lines.step, 10u);
    EXPECT_EQ(ahead.Take(5).begin, second.data());
    // Of the third no more than stays in a cache until it is used.
    size_t taken = 0;
    for (;;) {
      lines = ahead.Take(100);
      if (lines.begin == nullptr) break;
      ASSERT_EQ(lines.begin, third.data() + taken);
      taken += 100 * lines.step;
    }
    EXPECT_GT(taken, size_t{800} << 10);
    EXPECT_LT(taken, size_t{1100} << 10);
    // The next step goes on where this one stopped.
    ahead.Begin(1);
    EXPECT_EQ(ahead.Take(1).begin, third.data() + taken);
  }
}

}  // namespace
}  // namespace sbnn
