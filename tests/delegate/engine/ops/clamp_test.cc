#include <memory>
#include <vector>

#include "delegate/engine/ops/clamp.h"
#include "gtest/gtest.h"
#include "tests/delegate/engine/cases.h"

namespace sbnn {
namespace {

TEST(Clamp, EveryLayout) {
  Random random(7);
  for (const Shape& shape : std::vector<Shape>{
           {1, 5, 7, 3}, {3, 16, 16, 17}, {2, 1, 1, 9}, {2, 33}, {5}, {2, 3, 4}, {2, 3, 4, 5, 6}}) {
    Array x = RandomArray(shape, &random);
    x.data[x.data.size() / 2] = kNaN;
    for (const Limits& limits : std::vector<Limits>{{0, 6}, {0, kInfinity}, {-1, 1}}) {
      Array y = x;
      for (float& v : y.data) v = ReferenceClamp(v, limits.lo, limits.hi);
      ExpectEverywhere(std::make_unique<Clamp>(limits.lo, limits.hi), x, y);
    }
  }
}

}  // namespace
}  // namespace sbnn
