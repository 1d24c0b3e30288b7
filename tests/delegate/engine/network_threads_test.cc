#include <thread>
#include <vector>

#include "delegate/engine/network.h"
#include "gtest/gtest.h"
#include "tests/delegate/engine/layers.h"

namespace sbnn {
namespace {

// Threads that run one network take turns: each gets the results of its own inputs.
TEST(Network, RunByTwoThreadsAtOnce) {
  Layers layers(22);
  BuildSmallNetwork(&layers);
  Network& network = layers.network();
  const Shape shape = {1, 33, 21, 3};
  ASSERT_TRUE(network.Prepare({shape}, *AvailableKernels().front(), 2).ok());
  const size_t results = ElementCount(network.output_shape(0));
  Random random(23);
  std::vector<std::thread> threads;
  for (int t = 0; t < 2; ++t) {
    const Array x = RandomArray(shape, &random);
    std::vector<float> want(results);
    ASSERT_TRUE(network.Run({x.data.data()}, {want.data()}).ok());
    threads.emplace_back([&network, x, want] {
      for (int round = 0; round < 50; ++round) {
        std::vector<float> found(want.size());
        EXPECT_TRUE(network.Run({x.data.data()}, {found.data()}).ok());
        EXPECT_EQ(found, want);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace sbnn
