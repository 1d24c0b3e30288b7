#include <memory>
#include <string>
#include <vector>

#include "delegate/engine/ops/depthwise.h"
#include "gtest/gtest.h"
#include "tests/delegate/engine/cases.h"

namespace sbnn {
namespace {

void TestDepthwise(const WindowCase& c, Random* random) {
  SCOPED_TRACE(testing::Message() << c);
  const int channels = c.input[3] * c.outputs, taps = c.window.kernel_h * c.window.kernel_w;
  auto weights = std::make_shared<DepthwiseWeights>();
  weights->channels = channels;
  weights->multiplier = c.outputs;
  weights->taps = random->Floats(static_cast<size_t>(channels) * taps);
  const double keep = random->Pick<double>({1, 0.4, 0.2});
  for (float& w : weights->taps) w = random->Chance(keep) ? w : 0;
  weights->bias = random->Floats(channels);
  const Limits limits = RandomLimits(random);
  const Array x = RandomArray(c.input, random);
  ExpectEverywhere(std::make_unique<Depthwise>(weights, c.window, limits.lo, limits.hi), x,
                   ReferenceDepthwise(x, weights->taps, c.outputs, weights->bias, c.window,
                                      limits.lo, limits.hi));
}

TEST(Depthwise, Chosen) {
  const Window same = MakeWindow(3, 1, true), half = MakeWindow(3, 2, true);
  const std::vector<WindowCase> cases = {
      {{1, 7, 7, 16}, 1, same},
      {{1, 14, 14, 9}, 1, half},
      {{3, 15, 13, 3}, 1, half},
      {{1, 15, 13, 3}, 1, MakeWindow(3, 2, false)},
      {{1, 60, 33, 4}, 1, same},  // more than one band
      {{1, 120, 33, 4}, 1, half},
      {{1, 112, 1, 20}, 1, same},  // narrow: rows shorter than a vector
      {{2, 112, 1, 300}, 1, same},
      {{1, 80, 3, 40}, 1, same},
      {{1, 160, 6, 40}, 1, half},
      {{1, 120, 5, 40}, 1, MakeWindow(5, 1, true)},
      {{1, 300, 1, 40}, 1, {3, 1, 1, 1, 1, 1, true, {}}},
      {{1, 1, 300, 5}, 1, same},  // flat
      {{1, 2, 300, 5}, 1, MakeWindow(3, 1, true)},
      {{1, 1, 1, 5}, 1, same},  // one pixel
      {{2, 1, 1, 5}, 3, MakeWindow(5, 1, true)},
      {{2, 1, 1, 5}, 1, Margined(MakeWindow(3, 1, false), 2, 1, 1, 2)},
      {{2, 3, 3, 5}, 1, MakeWindow(3, 1, false)},  // one output pixel
      {{1, 9, 10, 4}, 2, same},                    // a multiplier
      {{1, 9, 10, 4}, 3, MakeWindow(5, 2, true)},
      {{1, 20, 21, 4}, 1, MakeWindow(5, 1, true)},
      {{1, 20, 21, 4}, 1, MakeWindow(3, 3, true)},
      {{1, 20, 21, 4}, 1, MakeWindow(3, 1, true, 2)},
      {{1, 20, 21, 4}, 1, MakeWindow(5, 2, false, 3)},
      {{1, 20, 21, 4}, 1, {3, 3, 1, 2, 1, 1, true, {}}},
      {{1, 20, 21, 4}, 1, {3, 3, 2, 1, 1, 1, true, {}}},
      {{1, 20, 21, 4}, 1, {3, 3, 1, 1, 1, 2, true, {}}},
      {{1, 8, 8, 4}, 1, Margined(MakeWindow(3, 2, false), 0, 1, 0, 1)},
      {{1, 8, 8, 4}, 1, Margined(same, 3, 20, 17, 60)},  // margins wider than a vector
      {{1, 8, 8, 4}, 1, Margined(half, 20, 3, 16, 16)},
      {{1, 8, 8, 4}, 1, Margined(half, 0, 0, 0, 90)},
      {{1, 2, 2, 3}, 1, MakeWindow(7, 1, true)},
  };
  Random random(4);
  for (const WindowCase& c : cases) {
    TestDepthwise(c, &random);
    if (HasFatalFailure()) return;
  }
}

TEST(Depthwise, Random) {
  Random random(5);
  for (int round = 0; round < kRounds; ++round) {
    WindowCase c = RandomWindowCase({1, 2, 3, 8, 17}, {1, 1, 1, 2}, &random);
    if (round % 2 == 0) {  // the kernel of its own
      c.window.kernel_h = c.window.kernel_w = 3;
      c.window.dilation_h = c.window.dilation_w = 1;
      c.window.stride_h = c.window.stride_w = random.Int(1, 2);
      c.outputs = 1;
    }
    if (!Fits(c.input, c.window)) continue;
    TestDepthwise(c, &random);
    if (HasFatalFailure()) return;
  }
}

// Where few taps are left and the kernels of all taps would be slower, zeros are skipped.
TEST(Depthwise, SkipsTaps) {
  const struct {
    int kernel, stride, dilation, kept;
    const char* remark;
  } cases[] = {
      {3, 1, 1, 9, ""},
      {3, 1, 1, 4, "4.0 of 9 taps are not zero, computed with the zeros, since that is faster"},
      {3, 1, 1, 2, "2.0 of 9 taps are not zero, the others are skipped"},
      {5, 1, 1, 13, "13.0 of 25 taps are not zero, computed with the zeros, since that is faster"},
      {5, 1, 1, 9, "9.0 of 25 taps are not zero, the others are skipped"},
      {5, 2, 1, 9, "9.0 of 25 taps are not zero, computed with the zeros, since that is faster"},
      {7, 2, 1, 9, "9.0 of 49 taps are not zero, the others are skipped"},
      {3, 1, 2, 4, "4.0 of 9 taps are not zero, the others are skipped"}};
  for (const auto& c : cases) {
    auto weights = std::make_shared<DepthwiseWeights>();
    weights->channels = 4;
    for (int i = 0; i < 4 * c.kernel * c.kernel; ++i) {
      weights->taps.push_back(i % (c.kernel * c.kernel) < c.kept ? 1.0f : 0.0f);
    }
    weights->bias.assign(4, 0.0f);
    Network network;
    network.AddOp(std::make_unique<Depthwise>(
                      weights, MakeWindow(c.kernel, c.stride, true, c.dilation), 0.0f, 6.0f),
                  {0}, 1);
    network.SetInputs({0});
    network.SetOutputs({1});
    ASSERT_TRUE(network.Prepare({{1, 40, 40, 4}}, *AvailableKernels().back(), 1).ok());
    ASSERT_EQ(network.Steps().size(), 1u);
    EXPECT_EQ(network.Steps()[0].remark, c.remark)
        << c.kernel << ' ' << c.stride << ' ' << c.dilation << ' ' << c.kept;
  }
}

}  // namespace
}  // namespace sbnn
