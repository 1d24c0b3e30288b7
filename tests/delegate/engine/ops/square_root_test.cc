#include <cmath>
#include <memory>
#include <vector>

#include "delegate/engine/ops/square_root.h"
#include "gtest/gtest.h"
#include "tests/delegate/engine/cases.h"

namespace sbnn {
namespace {

TEST(SquareRoot, EveryLayout) {
  Random random(9);
  for (const Shape& shape :
       std::vector<Shape>{{1, 5, 7, 3}, {2, 1, 1, 9}, {2, 33}, {5}, {2, 3, 4}, {300, 70}}) {
    Array x = RandomArray(shape, &random);
    for (float& v : x.data) v *= v;  // zeros are among them
    x.data[0] = -1;
    for (bool reciprocal : {false, true}) {
      Array y = x;
      for (float& v : y.data) v = reciprocal ? 1 / std::sqrt(v) : std::sqrt(v);
      ExpectEverywhere(std::make_unique<SquareRoot>(reciprocal), x, y);
    }
  }
}

}  // namespace
}  // namespace sbnn
