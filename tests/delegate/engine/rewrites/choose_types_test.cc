#include <memory>
#include <string>
#include <vector>

#include "delegate/engine/network.h"
#include "delegate/engine/ops/convolution.h"
#include "delegate/engine/ops/pool.h"
#include "delegate/engine/ops/softmax.h"
#include "gtest/gtest.h"
#include "tests/delegate/engine/cases.h"

namespace sbnn {
namespace {

// Convolutions ask for float16, pooling takes it as it comes, and a softmax is left to float32.
TEST(ChooseTypes, WhoComputesInFp16) {
  Random random(41);
  const auto bias = random.Floats(8);
  const auto packed = PackAs(random.Filter(8, 8, 4, 0.5), {8, 1, 1, 8}, bias, 4, true);
  Network network;
  const Window window = MakeWindow(2, 2, true);
  network.AddOp(std::make_unique<Pool>(false, window, 0.0f, 6.0f), {0}, 1, "pool of floats");
  network.AddOp(std::make_unique<Convolution>(packed, MakeWindow(1, 1, true), 0.0f, 6.0f), {1}, 2,
                "conv");
  network.AddOp(std::make_unique<Pool>(false, window, 0.0f, 6.0f), {2}, 3, "pool");
  network.AddOp(std::make_unique<Softmax>(1.0f), {3}, 4, "softmax");
  network.SetInputs({0});
  network.SetOutputs({4});
  const Kernels& kernels = *AvailableKernels().front();
  const std::vector<std::string> steps = {"pool of floats", "conv", "pool", "softmax"};
  ASSERT_TRUE(network.Prepare({{1, 9, 8, 8}}, kernels, 1).ok());
  EXPECT_EQ(Labels(network), steps);
  for (const Network::StepInfo& step : network.Steps()) EXPECT_FALSE(step.fp16);
  const bool has_fp16 = KernelsFor(kernels, ElementType::kFloat16) != nullptr;
  ASSERT_TRUE(network.Prepare({{1, 9, 8, 8}}, kernels, 1, true).ok());
  if (!has_fp16) {
    EXPECT_EQ(Labels(network), steps);
    return;
  }
  std::vector<std::string> in_fp16;
  for (const Network::StepInfo& step : network.Steps()) {
    if (step.fp16) in_fp16.push_back(step.label);
  }
  EXPECT_EQ(in_fp16, (std::vector<std::string>{"conv", "pool"}));
  EXPECT_EQ(Labels(network), (std::vector<std::string>{"pool of floats", "conversion", "conv",
                                                       "pool", "conversion", "softmax"}));
  ASSERT_TRUE(network.Prepare({{1, 9, 8, 8}}, kernels, 1).ok());
  EXPECT_EQ(Labels(network), steps) << "not for ever";
}

}  // namespace
}  // namespace sbnn
