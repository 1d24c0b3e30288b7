#include <memory>
#include <vector>

#include "delegate/engine/ops/numbers.h"
#include "delegate/engine/ops/reshape.h"
#include "gtest/gtest.h"
#include "tests/delegate/engine/elements.h"
#include "tests/delegate/random.h"
#include "tests/delegate/running.h"

namespace sbnn {
namespace {

// A reshape to [batch, -1, 6], where the batch is that of the input.
TEST(Numbers, FollowTheShape) {
  Random random(9);
  Network network;
  network.AddOp(std::make_unique<ShapeOf>(), {0}, 1);
  network.AddOp(std::make_unique<SliceNumbers>(Slice{{0}, {1}, {1}, 0, 0, 1}), {1}, 2);
  network.AddOp(std::make_unique<JoinNumbers>(std::vector<Index>{{}, {-1}, {6}}), {2}, 3);
  network.AddOp(std::make_unique<Reshape>(Shape{}), {0, 3}, 4);
  network.SetInputs({0});
  network.SetOutputs({4});
  for (const Shape& shape : std::vector<Shape>{{1, 4, 5, 3}, {3, 2, 7, 6}, {2, 1, 1, 12}}) {
    const Array x = RandomArray(shape, &random);
    ExpectEverywhere(
        &network, {x},
        {Array({shape[0], static_cast<int>(x.data.size()) / shape[0] / 6, 6}, x.data)});
  }
  EXPECT_FALSE(network.Prepare({{1, 1, 1, 5}}, *AvailableKernels().front(), 1).ok());
}

}  // namespace
}  // namespace sbnn
