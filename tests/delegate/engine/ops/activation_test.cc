#include <memory>
#include <vector>

#include "delegate/engine/ops/activation.h"
#include "gtest/gtest.h"
#include "tests/delegate/random.h"
#include "tests/delegate/reference.h"
#include "tests/delegate/running.h"

namespace sbnn {
namespace {

// (The functions themselves are tested with the kernels.)
TEST(Activation, EveryLayout) {
  Random random(26);
  for (const Shape& shape :
       std::vector<Shape>{{1, 5, 7, 3}, {1, 40, 40, 17}, {2, 1, 1, 9}, {2, 33}, {5}}) {
    const Array x = RandomArray(shape, &random);
    Array y = x;
    for (float& v : y.data) v = v < 0 ? v / 4 : v;
    ExpectEverywhere(std::make_unique<Activation>(UnaryKind::kLeakyRelu, 0.25f), x, y);
  }
}

}  // namespace
}  // namespace sbnn
