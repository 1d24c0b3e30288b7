#include <memory>
#include <vector>

#include "delegate/engine/ops/depth_to_space.h"
#include "gtest/gtest.h"
#include "tests/delegate/engine/elements.h"
#include "tests/delegate/random.h"
#include "tests/delegate/running.h"

namespace sbnn {
namespace {

TEST(DepthToSpace, AndBack) {
  Random random(5);
  for (const Shape& wide : std::vector<Shape>{{2, 6, 12, 3}, {1, 6, 6, 1}, {1, 12, 36, 9}}) {
    for (int block : {1, 2, 3, 6}) {
      const int channels = wide[3];
      const Shape deep = {wide[0], wide[1] / block, wide[2] / block, channels * block * block};
      const Array x = RandomArray(wide, &random);
      const Array y = Make(deep, [&](const Index& at) {
        const int c = at[3] % channels, b = at[3] / channels;
        return At(x, {at[0], at[1] * block + b / block, at[2] * block + b % block, c});
      });
      ExpectEverywhere(std::make_unique<SpaceToDepth>(block), x, y);
      ExpectEverywhere(std::make_unique<DepthToSpace>(block), y, x);
      if (HasFatalFailure()) return;
    }
  }
  for (int block : {-2, 0, 5, 100000, 2147483647}) {
    EXPECT_NE(Refusal(std::make_unique<DepthToSpace>(block), {1, 4, 4, 24}), "") << block;
    EXPECT_NE(Refusal(std::make_unique<SpaceToDepth>(block), {1, 4, 4, 24}), "") << block;
  }
}

}  // namespace
}  // namespace sbnn
