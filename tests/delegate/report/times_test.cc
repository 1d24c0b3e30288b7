// Least and median times.
#include "delegate/report/times.h"

#include "gtest/gtest.h"

namespace sbnn {
namespace {

TEST(Times, LeastOfAllAndMedianOfTheLatest) {
  Times times;
  EXPECT_EQ(times.Summary().count, 0);
  times.Add(3);
  EXPECT_EQ(times.Summary().median, 3);
  times.Add(1);
  EXPECT_EQ(times.Summary().median, 2) << "of two, their mean";
  times.Add(9);
  const Runs three = times.Summary();
  EXPECT_EQ(three.count, 3);
  EXPECT_EQ(three.least, 1);
  EXPECT_EQ(three.median, 3);
  for (size_t i = 0; i < Times::kMedianOf; ++i) times.Add(5);
  const Runs many = times.Summary();
  EXPECT_EQ(many.count, 3 + static_cast<int64_t>(Times::kMedianOf));
  EXPECT_EQ(many.least, 1);
  EXPECT_EQ(many.median, 5);
}

}  // namespace
}  // namespace sbnn
