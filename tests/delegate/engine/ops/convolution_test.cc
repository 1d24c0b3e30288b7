#include <memory>
#include <numeric>
#include <vector>

#include "delegate/engine/ops/convolution.h"
#include "gtest/gtest.h"
#include "tests/delegate/engine/cases.h"

namespace sbnn {
namespace {

void TestConvolution(const WindowCase& c, int structure, double density, int group, bool sparse,
                     Random* random) {
  SCOPED_TRACE(testing::Message() << c << ", density " << density << ", groups of " << group
                                  << (sparse ? ", sparse" : ", dense"));
  const Window& w = c.window;
  const Shape shape = {c.outputs, w.kernel_h, w.kernel_w, c.input[3]};
  const std::vector<float> filter =
      random->Filter(c.outputs, ElementCount(shape) / c.outputs, structure, density);
  const std::vector<float> bias = random->Floats(c.outputs);
  const Limits limits = RandomLimits(random);
  const Array x = RandomArray(c.input, random);
  ExpectEverywhere(std::make_unique<Convolution>(PackAs(filter, shape, bias, group, sparse), w,
                                                 limits.lo, limits.hi),
                   x, ReferenceConvolution(x, filter, bias, w, limits.lo, limits.hi));
}

TEST(Convolution, Chosen) {
  const Window one = MakeWindow(1, 1, false), stem = MakeWindow(3, 2, true);
  const std::vector<WindowCase> cases = {
      {{1, 1, 1, 40}, 33, one},                      // one pixel
      {{5, 1, 1, 7}, 3, one},                        // several of them
      {{1, 1, 1, 200}, 300, one},                    // enough weights for threads
      {{2, 1, 1, 3}, 5, MakeWindow(3, 1, true)},     // one pixel, many taps
      {{1, 1, 1, 1}, 4, MakeWindow(5, 2, true)},     // ... of one channel
      {{1, 1, 1, 3}, 2, Margined(one, 2, 1, 1, 2)},  // one pixel in a margin
      {{1, 7, 7, 16}, 24, one},                      // MobileNet's last planes
      {{3, 16, 16, 8}, 16, one},                     // planes of whole vectors
      {{2, 7, 7, 72}, 9, one},                       // channels enough to copy tiles of
      {{1, 3, 9, 65}, 12, one},
      {{1, 1, 2, 100}, 8, one},
      {{1, 33, 31, 5}, 9, one},
      {{1, 9, 11, 6}, 8, MakeWindow(1, 2, true)},         // 1x1 with a stride
      {{1, 1, 30, 6}, 8, {1, 1, 3, 1, 1, 1, false, {}}},  // a stride over one row
      {{1, 30, 1, 6}, 8, {1, 1, 1, 3, 1, 1, false, {}}},  // ... and over one column
      {{1, 64, 64, 3}, 16, stem},                         // rows of whole vectors
      {{2, 65, 63, 3}, 8, stem},
      {{1, 35, 35, 1}, 8, stem},                     // one channel
      {{1, 21, 21, 2}, 7, MakeWindow(3, 1, false)},  // two: gathered from the outside
      {{1, 21, 21, 4}, 7, MakeWindow(5, 2, true)},
      {{1, 21, 21, 5}, 7, MakeWindow(5, 2, true)},
      {{1, 3, 3, 9}, 10, MakeWindow(3, 1, false)},  // one output pixel
      {{2, 7, 5, 3}, 10, {7, 5, 1, 1, 1, 1, false, {}}},
      {{1, 120, 40, 20}, 12, MakeWindow(3, 1, true)},  // several bands
      {{2, 120, 48, 20}, 12, MakeWindow(3, 1, true)},
      {{1, 150, 3, 40}, 5, MakeWindow(3, 1, true)},  // tall and narrow
      {{1, 3, 150, 40}, 5, MakeWindow(3, 1, true)},
      {{1, 8, 8, 4}, 8, Margined(MakeWindow(3, 2, false), 0, 1, 0, 1)},  // as Keras pads
      {{1, 8, 8, 4}, 8, Margined(MakeWindow(3, 1, true), 40, 3, 2, 50)},
      {{1, 5, 6, 3}, 4, Margined(MakeWindow(1, 1, false), 1, 2, 3, 0)},
      {{1, 20, 20, 6}, 8, MakeWindow(3, 1, true, 4)},
      {{1, 13, 14, 6}, 8, {3, 3, 2, 2, 2, 3, true, {}}},
      {{1, 2, 2, 3}, 4, MakeWindow(7, 1, true)},  // a window wider than the image
      {{1, 2, 2, 3}, 4, MakeWindow(3, 5, true)},  // a stride wider than the image
  };
  Random random(1);
  for (const WindowCase& c : cases) {
    for (bool sparse : {false, true}) {
      TestConvolution(c, 4, sparse ? 0.4 : 1.0, RandomKind(&random), sparse, &random);
      if (HasFatalFailure()) return;
    }
  }
}

TEST(Convolution, Random) {
  Random random(2);
  for (int round = 0; round < kRounds; ++round) {
    WindowCase c = RandomWindowCase({1, 2, 3, 4, 5, 8, 17}, {1, 3, 8, 9, 21}, &random);
    if (round % 3 == 0) c.window.kernel_h = c.window.kernel_w = 1;
    TestConvolution(c, random.Pick<int>({1, 2, 4, 8, 16}), random.Pick<double>({0, 0.1, 0.5, 1}),
                    RandomKind(&random), random.Chance(0.5), &random);
    if (HasFatalFailure()) return;
  }
}

TEST(Convolution, Groups) {
  Random random(30);
  for (int round = 0; round < kRounds; ++round) {
    const int groups = random.Pick<int>({2, 3, 4, 8}), inputs = random.Pick<int>({1, 2, 3, 5});
    const int outputs = groups * random.Pick<int>({1, 2, 3, 4, 8, 12});
    WindowCase c = RandomWindowCase({groups * inputs}, {outputs}, &random);
    if (round % 3 == 0) c.window.kernel_h = c.window.kernel_w = 1;
    const Window& w = c.window;
    const Shape shape = {outputs, w.kernel_h, w.kernel_w, inputs};
    const std::vector<float> filter =
        random.Filter(outputs, ElementCount(shape) / outputs, random.Pick<int>({1, 4, 8}), 0.5);
    const std::vector<float> bias = random.Floats(outputs);
    const auto packed = PackAs(filter, shape, bias, RandomGroup(&random), random.Chance(0.5));
    const int least = std::gcd(packed->group, outputs / groups);
    SCOPED_TRACE(testing::Message()
                 << c << ", " << groups << " groups, packed by " << packed->group);
    const Limits limits = RandomLimits(&random);
    const Array x = RandomArray(c.input, &random);
    ExpectEverywhere(
        std::make_unique<Convolution>(std::make_shared<PackedWeights>(Regroup(*packed, least)), w,
                                      limits.lo, limits.hi, groups),
        x, ReferenceConvolution(x, filter, bias, w, limits.lo, limits.hi, groups));
    if (HasFatalFailure()) return;
  }
}

TEST(Convolution, Refuses) {
  Random random(3);
  const std::vector<float> bias(4, 0.0f);
  const auto convolution = [&](const Window& w) {
    const Shape shape = {4, w.kernel_h, w.kernel_w, 3};
    return std::make_unique<Convolution>(
        PackAs(random.Floats(ElementCount(shape)), shape, bias, 4, false), w, -kInfinity,
        kInfinity);
  };
  EXPECT_EQ(Refusal(convolution(MakeWindow(3, 1, false)), {1, 3, 3, 3}), "");
  EXPECT_NE(Refusal(convolution(MakeWindow(3, 1, false)), {1, 1, 3, 3}), "") << "does not fit";
  EXPECT_NE(Refusal(convolution(MakeWindow(3, 1, false, 2)), {1, 9, 3, 3}), "") << "does not fit";
  EXPECT_NE(Refusal(convolution(MakeWindow(3, 1, false)), {1, 3, 3, 4}), "") << "channels";
  EXPECT_NE(Refusal(convolution(MakeWindow(3, 1, false)), {3, 3, 3}), "") << "rank";
  EXPECT_EQ(Refusal(convolution(MakeWindow(3, 1, true)), {0, 3, 3, 3}), "") << "an empty batch";
  EXPECT_NE(Refusal(convolution(MakeWindow(3, 0, true)), {1, 3, 3, 3}), "") << "stride 0";
  EXPECT_NE(Refusal(convolution(MakeWindow(3, 1, true, 0)), {1, 3, 3, 3}), "") << "dilation 0";
  EXPECT_NE(Refusal(convolution(MakeWindow(3, -1, true)), {1, 3, 3, 3}), "") << "stride -1";
}

}  // namespace
}  // namespace sbnn
