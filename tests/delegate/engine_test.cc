// The engine's operators, through Network, against the references of reference.h: on every
// instruction set of this CPU, with one and several threads, resized and run again.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <functional>
#include <limits>
#include <memory>
#include <numeric>
#include <ostream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "delegate/engine/network.h"
#include "delegate/engine/ops/activation.h"
#include "delegate/engine/ops/binary.h"
#include "delegate/engine/ops/clamp.h"
#include "delegate/engine/ops/concatenation.h"
#include "delegate/engine/ops/convolution.h"
#include "delegate/engine/ops/depthwise.h"
#include "delegate/engine/ops/fully_connected.h"
#include "delegate/engine/ops/mean.h"
#include "delegate/engine/ops/pad.h"
#include "delegate/engine/ops/pool.h"
#include "delegate/engine/ops/reshape.h"
#include "delegate/engine/ops/resize.h"
#include "delegate/engine/ops/softmax.h"
#include "delegate/engine/ops/transpose_convolution.h"
#include "gtest/gtest.h"
#include "tests/delegate/random.h"
#include "tests/delegate/reference.h"
#include "tests/delegate/running.h"
#include "tests/delegate/sparse.h"

namespace sbnn {
namespace {

// ---- Weights

constexpr int kMixed = 0;  // for a group

// Packed as groups of `group`, or mixed, from a dense or from a sparse constant.
std::shared_ptr<const PackedWeights> PackAs(const std::vector<float>& filter, const Shape& shape,
                                            const std::vector<float>& bias, int group, bool sparse) {
  OwnedConstant owned;
  if (sparse) {
    EncodeSparse(filter, shape, GroupFormat(static_cast<int>(shape.size()), shape[0] % 4 == 0 ? 4 : 1),
                 &owned);
  } else {
    EncodeDense(filter, shape, &owned);
  }
  ColumnCost cost = {{1e6f, 1e6f, 1e6f, 1e6f}, 1e-3f, 0, group == kMixed ? 5 : 0};
  if (group != kMixed) cost.of[GroupIndex(group)] = 1e-3f;
  auto packed = std::make_shared<PackedWeights>();
  const Status status = Pack(owned.constant, bias.data(), cost, packed.get());
  EXPECT_TRUE(status.ok()) << status.message();
  return packed;
}

int RandomGroup(Random* random) { return kGroupSizes[random->Int(0, kGroupKinds - 1)]; }

int RandomKind(Random* random) { return random->Chance(0.3) ? kMixed : RandomGroup(random); }

struct Limits {
  float lo, hi;
};

Limits RandomLimits(Random* random) {
  return random->Pick<Limits>({{-kInfinity, kInfinity}, {0, kInfinity}, {0, 6}, {-1, 1}});
}

// ---- Windows

void PrintWindow(const Window& w, std::ostream* out) {
  *out << (w.same ? "SAME " : "VALID ") << w.kernel_h << 'x' << w.kernel_w << " stride " << w.stride_h
       << 'x' << w.stride_w << " dilation " << w.dilation_h << 'x' << w.dilation_w << " margin "
       << w.margin.top << ' ' << w.margin.bottom << ' ' << w.margin.left << ' ' << w.margin.right;
}

struct WindowCase {
  Shape input;
  int outputs;  // or the multiplier
  Window window;
};

std::ostream& operator<<(std::ostream& out, const WindowCase& c) {
  out << testing::PrintToString(c.input) << " to " << c.outputs << ", ";
  PrintWindow(c.window, &out);
  return out;
}

Window MakeWindow(int kernel, int stride, bool same, int dilation = 1) {
  return {kernel, kernel, stride, stride, dilation, dilation, same, {}};
}

Window Margined(Window w, int top, int bottom, int left, int right) {
  w.margin = {top, bottom, left, right};
  return w;
}

bool Fits(const Shape& image, const Window& w) {
  const Margin& m = w.margin;
  return ReferenceAxis(image[1] + m.top + m.bottom, w.kernel_h, w.stride_h, w.dilation_h, w.same).out > 0 &&
         ReferenceAxis(image[2] + m.left + m.right, w.kernel_w, w.stride_w, w.dilation_w, w.same).out > 0;
}

WindowCase RandomWindowCase(const std::vector<int>& channels, const std::vector<int>& outputs,
                            Random* random) {
  for (;;) {
    WindowCase c;
    c.input = {random->Pick<int>({1, 1, 3}), random->Int(1, 20), random->Int(1, 36),
               random->Pick(channels)};
    if (random->Chance(0.1)) c.input[1] = c.input[2] = 1;
    c.outputs = random->Pick(outputs);
    Window& w = c.window;
    w.kernel_h = random->Int(1, 7);
    w.kernel_w = random->Chance(0.6) ? w.kernel_h : random->Int(1, 7);
    w.stride_h = random->Int(1, 3);
    w.stride_w = random->Chance(0.7) ? w.stride_h : random->Int(1, 3);
    w.dilation_h = random->Chance(0.7) ? 1 : random->Int(2, 3);
    w.dilation_w = random->Chance(0.7) ? w.dilation_h : random->Int(1, 3);
    w.same = random->Chance(0.5);
    if (random->Chance(0.3)) {
      w.margin = {random->Int(0, 3), random->Int(0, 3), random->Int(0, 3), random->Int(0, 3)};
    }
    if (Fits(c.input, w)) return c;
  }
}

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
      {{1, 1, 1, 40}, 33, one},                               // one pixel
      {{5, 1, 1, 7}, 3, one},                                 // several of them
      {{1, 1, 1, 200}, 300, one},                             // enough weights for threads
      {{2, 1, 1, 3}, 5, MakeWindow(3, 1, true)},              // one pixel, many taps
      {{1, 1, 1, 1}, 4, MakeWindow(5, 2, true)},              // ... of one channel
      {{1, 1, 1, 3}, 2, Margined(one, 2, 1, 1, 2)},           // one pixel in a margin
      {{1, 7, 7, 16}, 24, one},                               // MobileNet's last planes
      {{3, 16, 16, 8}, 16, one},                              // planes of whole vectors
      {{1, 33, 31, 5}, 9, one},
      {{1, 9, 11, 6}, 8, MakeWindow(1, 2, true)},             // 1x1 with a stride
      {{1, 1, 30, 6}, 8, {1, 1, 3, 1, 1, 1, false, {}}},      // a stride over one row
      {{1, 30, 1, 6}, 8, {1, 1, 1, 3, 1, 1, false, {}}},      // ... and over one column
      {{1, 64, 64, 3}, 16, stem},                             // rows of whole vectors
      {{2, 65, 63, 3}, 8, stem},
      {{1, 35, 35, 1}, 8, stem},                              // one channel
      {{1, 21, 21, 2}, 7, MakeWindow(3, 1, false)},           // two: gathered from the outside
      {{1, 21, 21, 4}, 7, MakeWindow(5, 2, true)},
      {{1, 21, 21, 5}, 7, MakeWindow(5, 2, true)},
      {{1, 3, 3, 9}, 10, MakeWindow(3, 1, false)},            // one output pixel
      {{2, 7, 5, 3}, 10, {7, 5, 1, 1, 1, 1, false, {}}},
      {{1, 120, 40, 20}, 12, MakeWindow(3, 1, true)},         // several bands
      {{2, 120, 48, 20}, 12, MakeWindow(3, 1, true)},
      {{1, 150, 3, 40}, 5, MakeWindow(3, 1, true)},           // tall and narrow
      {{1, 3, 150, 40}, 5, MakeWindow(3, 1, true)},
      {{1, 8, 8, 4}, 8, Margined(MakeWindow(3, 2, false), 0, 1, 0, 1)},  // as Keras pads
      {{1, 8, 8, 4}, 8, Margined(MakeWindow(3, 1, true), 40, 3, 2, 50)},
      {{1, 5, 6, 3}, 4, Margined(MakeWindow(1, 1, false), 1, 2, 3, 0)},
      {{1, 20, 20, 6}, 8, MakeWindow(3, 1, true, 4)},
      {{1, 13, 14, 6}, 8, {3, 3, 2, 2, 2, 3, true, {}}},
      {{1, 2, 2, 3}, 4, MakeWindow(7, 1, true)},              // a window wider than the image
      {{1, 2, 2, 3}, 4, MakeWindow(3, 5, true)},              // a stride wider than the image
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
    const int narrow = std::gcd(packed->group, outputs / groups);
    SCOPED_TRACE(testing::Message() << c << ", " << groups << " groups, packed by " << packed->group);
    const Limits limits = RandomLimits(&random);
    const Array x = RandomArray(c.input, &random);
    ExpectEverywhere(std::make_unique<Convolution>(std::make_shared<PackedWeights>(Narrow(*packed, narrow)),
                                                   w, limits.lo, limits.hi, groups),
                     x, ReferenceConvolution(x, filter, bias, w, limits.lo, limits.hi, groups));
    if (HasFatalFailure()) return;
  }
}

TEST(TransposeConvolution, Random) {
  Random random(31);
  for (int round = 0; round < kRounds; ++round) {
    Window w;
    w.kernel_h = random.Int(1, 7);
    w.kernel_w = random.Chance(0.6) ? w.kernel_h : random.Int(1, 7);
    w.stride_h = random.Int(1, 4);
    w.stride_w = random.Chance(0.7) ? w.stride_h : random.Int(1, 4);
    w.same = random.Chance(0.5);
    const int inputs = random.Pick<int>({1, 3, 8, 17}), outputs = random.Pick<int>({1, 3, 8, 9, 21});
    const Array x = RandomArray({random.Pick<int>({1, 1, 3}), random.Int(1, 12), random.Int(1, 20), inputs}, &random);
    // All sizes are possible, whether or not a convolution leads back from them.
    const auto size = [&](int in, int kernel, int stride) {
      return std::max(1, (in - 1) * stride + (w.same ? 1 : kernel) + random.Int(-2, stride));
    };
    const Shape out = {x.shape[0], size(x.shape[1], w.kernel_h, w.stride_h),
                       size(x.shape[2], w.kernel_w, w.stride_w), outputs};
    std::ostringstream said;
    PrintWindow(w, &said);
    SCOPED_TRACE(testing::PrintToString(x.shape) + " to " + testing::PrintToString(out) + said.str());
    const Shape shape = {outputs, w.kernel_h, w.kernel_w, inputs};
    const std::vector<float> filter =
        random.Filter(outputs, ElementCount(shape) / outputs, random.Pick<int>({1, 4, 8}), 0.5);
    const std::vector<float> bias = random.Floats(outputs);
    const auto packed = PackAs(filter, shape, bias, RandomGroup(&random), random.Chance(0.5));
    const Limits limits = RandomLimits(&random);
    ExpectEverywhere(std::make_unique<TransposeConvolution>(*packed, w, out, limits.lo, limits.hi), x,
                     ReferenceTransposeConvolution(x, filter, bias, w, out, limits.lo, limits.hi));
    if (HasFatalFailure()) return;
  }
}

TEST(TransposeConvolution, Refuses) {
  Random random(32);
  const auto convolution = [&] {
    return std::make_unique<TransposeConvolution>(
        *PackAs(random.Floats(4 * 9 * 3), {4, 3, 3, 3}, random.Floats(4), 4, false), MakeWindow(3, 2, true),
        Shape{1, 6, 8, 4}, -kInfinity, kInfinity);
  };
  EXPECT_EQ(Refusal(convolution(), {1, 3, 4, 3}), "");
  EXPECT_NE(Refusal(convolution(), {1, 3, 4, 4}), "") << "channels";
  EXPECT_NE(Refusal(convolution(), {2, 3, 4, 3}), "") << "batch";
  EXPECT_NE(Refusal(convolution(), {3, 4, 3}), "") << "rank";
}

TEST(Convolution, Refuses) {
  Random random(3);
  const std::vector<float> bias(4, 0.0f);
  const auto convolution = [&](const Window& w) {
    const Shape shape = {4, w.kernel_h, w.kernel_w, 3};
    return std::make_unique<Convolution>(PackAs(random.Floats(ElementCount(shape)), shape, bias, 4, false),
                                         w, -kInfinity, kInfinity);
  };
  EXPECT_EQ(Refusal(convolution(MakeWindow(3, 1, false)), {1, 3, 3, 3}), "");
  EXPECT_NE(Refusal(convolution(MakeWindow(3, 1, false)), {1, 2, 3, 3}), "") << "does not fit";
  EXPECT_NE(Refusal(convolution(MakeWindow(3, 1, false, 2)), {1, 9, 4, 3}), "") << "does not fit";
  EXPECT_NE(Refusal(convolution(MakeWindow(3, 1, false)), {1, 3, 3, 4}), "") << "channels";
  EXPECT_NE(Refusal(convolution(MakeWindow(3, 1, false)), {3, 3, 3}), "") << "rank";
  EXPECT_EQ(Refusal(convolution(MakeWindow(3, 1, true)), {0, 3, 3, 3}), "") << "an empty batch";
  EXPECT_NE(Refusal(convolution(MakeWindow(3, 0, true)), {1, 3, 3, 3}), "") << "stride 0";
  EXPECT_NE(Refusal(convolution(MakeWindow(3, 1, true, 0)), {1, 3, 3, 3}), "") << "dilation 0";
  EXPECT_NE(Refusal(convolution(MakeWindow(3, -1, true)), {1, 3, 3, 3}), "") << "stride -1";
}

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
                   ReferenceDepthwise(x, weights->taps, c.outputs, weights->bias, c.window, limits.lo,
                                      limits.hi));
}

TEST(Depthwise, Chosen) {
  const Window same = MakeWindow(3, 1, true), half = MakeWindow(3, 2, true);
  const std::vector<WindowCase> cases = {
      {{1, 7, 7, 16}, 1, same},
      {{1, 14, 14, 9}, 1, half},
      {{3, 15, 13, 3}, 1, half},
      {{1, 15, 13, 3}, 1, MakeWindow(3, 2, false)},
      {{1, 60, 33, 4}, 1, same},                        // more than one band
      {{1, 120, 33, 4}, 1, half},
      {{1, 112, 1, 20}, 1, same},                       // narrow: rows shorter than a vector
      {{2, 112, 1, 300}, 1, same},
      {{1, 80, 3, 40}, 1, same},
      {{1, 160, 6, 40}, 1, half},
      {{1, 120, 5, 40}, 1, MakeWindow(5, 1, true)},
      {{1, 300, 1, 40}, 1, {3, 1, 1, 1, 1, 1, true, {}}},
      {{1, 1, 300, 5}, 1, same},                        // flat
      {{1, 2, 300, 5}, 1, MakeWindow(3, 1, true)},
      {{1, 1, 1, 5}, 1, same},                          // one pixel
      {{2, 1, 1, 5}, 3, MakeWindow(5, 1, true)},
      {{2, 1, 1, 5}, 1, Margined(MakeWindow(3, 1, false), 2, 1, 1, 2)},
      {{2, 3, 3, 5}, 1, MakeWindow(3, 1, false)},       // one output pixel
      {{1, 9, 10, 4}, 2, same},                         // a multiplier
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
  } cases[] = {{3, 1, 1, 9, ""},
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
    network.AddOp(std::make_unique<Depthwise>(weights, MakeWindow(c.kernel, c.stride, true, c.dilation), 0.0f, 6.0f),
                  {0}, 1);
    network.SetInputs({0});
    network.SetOutputs({1});
    ASSERT_TRUE(network.Prepare({{1, 40, 40, 4}}, *FindKernels("scalar"), 1).ok());
    ASSERT_EQ(network.Steps().size(), 1u);
    EXPECT_EQ(network.Steps()[0].remark, c.remark) << c.kernel << ' ' << c.stride << ' ' << c.dilation << ' ' << c.kept;
  }
}

// A NaN reaches the outputs that read it, and no other.
TEST(NotANumber, StaysWhereItBelongs) {
  Random random(6);
  for (int round = 0; round < 40; ++round) {
    const int channels = random.Pick<int>({2, 3, 8}), outputs = random.Pick<int>({1, 9});
    const Shape input = {2, random.Int(1, 9), random.Int(1, 20), channels};
    Window w = MakeWindow(random.Pick<int>({1, 3}), random.Int(1, 2), true);
    Array x = RandomArray(input, &random);
    x.data[random.Int(0, static_cast<int>(x.data.size()) - 1)] = kNaN;
    const WindowCase traced = {input, outputs, w};
    SCOPED_TRACE(traced);
    const Limits limits = RandomLimits(&random);
    // Weights that are all kept: of a pruned one it is not said whether it meets the NaN.
    const Shape shape = {outputs, w.kernel_h, w.kernel_w, channels};
    const std::vector<float> filter = random.Filter(outputs, ElementCount(shape) / outputs, 1, 1.0);
    const std::vector<float> bias = random.Floats(outputs);
    ExpectEverywhere(std::make_unique<Convolution>(PackAs(filter, shape, bias, RandomKind(&random), false),
                                                   w, limits.lo, limits.hi),
                     x, ReferenceConvolution(x, filter, bias, w, limits.lo, limits.hi));
    if (HasFatalFailure()) return;
    auto weights = std::make_shared<DepthwiseWeights>();
    weights->channels = channels;
    weights->taps = random.Filter(channels, w.kernel_h * w.kernel_w, 1, 1.0);
    weights->bias = random.Floats(channels);
    ExpectEverywhere(std::make_unique<Depthwise>(weights, w, limits.lo, limits.hi), x,
                     ReferenceDepthwise(x, weights->taps, 1, weights->bias, w, limits.lo, limits.hi));
    if (HasFatalFailure()) return;
  }
}

// ---- The other operators

TEST(Clamp, EveryLayout) {
  Random random(7);
  for (const Shape& shape : std::vector<Shape>{{1, 5, 7, 3}, {3, 16, 16, 17}, {2, 1, 1, 9}, {2, 33},
                                               {5}, {2, 3, 4}, {2, 3, 4, 5, 6}}) {
    Array x = RandomArray(shape, &random);
    x.data[x.data.size() / 2] = kNaN;
    for (const Limits& limits : std::vector<Limits>{{0, 6}, {0, kInfinity}, {-1, 1}}) {
      Array y = x;
      for (float& v : y.data) v = ReferenceClamp(v, limits.lo, limits.hi);
      ExpectEverywhere(std::make_unique<Clamp>(limits.lo, limits.hi), x, y);
    }
  }
}

TEST(Mean, OverHeightAndWidth) {
  Random random(8);
  for (const Shape& shape : std::vector<Shape>{{1, 7, 7, 70}, {3, 4, 5, 3}, {2, 1, 1, 9}, {2, 16, 32, 130}}) {
    Array x = RandomArray(shape, &random);
    for (bool keep_dims : {false, true}) {
      Network network;
      network.AddOp(std::make_unique<Mean>(std::vector<int>{1, 2}, keep_dims), {0}, 1);
      network.SetInputs({0});
      network.SetOutputs({1});
      const Array want = ReferenceMean(x, keep_dims);
      for (const Kernels* kernels : AvailableKernels()) {
        for (int threads : {1, 2}) {
          const Array found = RunNetwork(&network, {x}, 1, *kernels, threads)[0];
          ASSERT_EQ(found.shape, want.shape);
          for (size_t i = 0; i < want.data.size(); ++i) EXPECT_NEAR(found.data[i], want.data[i], 1e-6);
        }
      }
    }
  }
  EXPECT_NE(Refusal(std::make_unique<Mean>(std::vector<int>{1, 2}, true), {3, 4}), "");
}

// Element i of an array spread over the shape `large`.
float Spread(const Array& small, const Shape& large, size_t i) {
  size_t index = 0, stride = 1;
  for (size_t d = large.size(); d-- > 0;) {
    const size_t at = i % large[d];
    i /= large[d];
    if (small.shape[d] != 1) index += at * stride;
    stride *= small.shape[d];
  }
  return small.data[index];
}

TEST(Mean, OverAnyDimensions) {
  Random random(29);
  const struct {
    Shape shape;
    std::vector<int> axes;
  } cases[] = {{{2, 5, 7, 3}, {3}}, {{2, 5, 7, 3}, {0, 2}},    {{2, 5, 7, 3}, {1, 2, 3}},
               {{2, 5, 7, 3}, {}},  {{2, 1, 1, 9}, {1, 2}},    {{2, 1, 1, 9}, {3}},
               {{3, 8}, {0}},       {{2, 3, 4, 5, 2}, {1, 3}}, {{2, 3, 4}, {2}}};
  for (const auto& c : cases) {
    const Array x = RandomArray(c.shape, &random);
    Shape kept = c.shape, dropped;
    for (int axis : c.axes) kept[axis] = 1;
    for (size_t d = 0; d < c.shape.size(); ++d) {
      if (std::find(c.axes.begin(), c.axes.end(), static_cast<int>(d)) == c.axes.end()) {
        dropped.push_back(c.shape[d]);
      }
    }
    std::vector<double> sums(ElementCount(kept), 0.0);
    Array places(kept);  // each element's own number
    for (size_t i = 0; i < sums.size(); ++i) places.data[i] = static_cast<float>(i);
    for (size_t i = 0; i < x.data.size(); ++i) {
      sums[static_cast<size_t>(Spread(places, c.shape, i))] += x.data[i];
    }
    const double count = static_cast<double>(x.data.size()) / static_cast<double>(sums.size());
    for (bool keep_dims : {false, true}) {
      Network network;
      network.AddOp(std::make_unique<Mean>(c.axes, keep_dims), {0}, 1);
      network.SetInputs({0});
      network.SetOutputs({1});
      for (const Kernels* kernels : AvailableKernels()) {
        const Array found = RunNetwork(&network, {x}, 1, *kernels, 2)[0];
        ASSERT_EQ(found.shape, keep_dims ? kept : dropped);
        for (size_t i = 0; i < sums.size(); ++i) EXPECT_NEAR(found.data[i], sums[i] / count, 1e-6);
      }
    }
  }
  EXPECT_NE(Refusal(std::make_unique<Mean>(std::vector<int>{4}, true), {1, 2, 3, 4}), "");
  EXPECT_NE(Refusal(std::make_unique<Mean>(std::vector<int>{0}, false), {4}), "");
}

// Doubling an image: exact in floats, whatever the order of operations.
TEST(Resize, Doubles) {
  Random random(30);
  for (const Shape& shape : std::vector<Shape>{{2, 5, 7, 3}, {1, 1, 1, 4}, {1, 20, 33, 9}}) {
    const Array x = RandomArray(shape, &random);
    const int h = shape[1], w = shape[2];
    Array near({shape[0], 2 * h, 2 * w, shape[3]}), between = near, centers = near;
    for (int n = 0; n < shape[0]; ++n) {
      for (int i = 0; i < 2 * h; ++i) {
        for (int j = 0; j < 2 * w; ++j) {
          for (int c = 0; c < shape[3]; ++c) {
            const auto mixed = [&](double row, double column) {
              const int top = static_cast<int>(std::floor(row)), left = static_cast<int>(std::floor(column));
              const double down = row - top, right = column - left;
              const auto at = [&](int y, int z) {
                return double{x.At(n, std::min(h - 1, std::max(0, y)), std::min(w - 1, std::max(0, z)), c)};
              };
              return static_cast<float>((at(top, left) * (1 - right) + at(top, left + 1) * right) * (1 - down) +
                                        (at(top + 1, left) * (1 - right) + at(top + 1, left + 1) * right) * down);
            };
            near.At(n, i, j, c) = x.At(n, i / 2, j / 2, c);
            between.At(n, i, j, c) = mixed(i / 2.0, j / 2.0);
            centers.At(n, i, j, c) = mixed((i + 0.5) / 2 - 0.5, (j + 0.5) / 2 - 0.5);
          }
        }
      }
    }
    ExpectEverywhere(std::make_unique<Resize>(false, false, false, 2 * h, 2 * w), x, near);
    ExpectEverywhere(std::make_unique<Resize>(true, false, false, 2 * h, 2 * w), x, between);
    ExpectEverywhere(std::make_unique<Resize>(true, false, true, 2 * h, 2 * w), x, centers);
  }
  EXPECT_NE(Refusal(std::make_unique<Resize>(true, false, false, 0, 3), {1, 2, 2, 1}), "");
  EXPECT_NE(Refusal(std::make_unique<Resize>(true, false, false, -1, 3), {1, 2, 2, 1}), "");
  EXPECT_NE(Refusal(std::make_unique<Resize>(true, false, false, 1 << 20, 1 << 20), {1, 2, 2, 1}), "");
  EXPECT_NE(Refusal(std::make_unique<Resize>(true, false, false, 3, 3), {2, 2, 1}), "");
}

TEST(Pad, ByItself) {
  Random random(9);
  for (const Shape& shape : std::vector<Shape>{{1, 5, 7, 3}, {3, 16, 16, 2}, {2, 1, 1, 9}}) {
    const Array x = RandomArray(shape, &random);
    for (const Margin& m : std::vector<Margin>{{0, 1, 0, 1}, {1, 1, 1, 1}, {0, 0, 0, 0}, {5, 0, 17, 2}}) {
      ExpectEverywhere(std::make_unique<Pad>(m), x, ReferencePad(x, m));
    }
  }
}

TEST(Pool, BehindPad) {
  Random random(23);
  const Array x = RandomArray({2, 9, 12, 5}, &random);
  for (bool average : {false, true}) {
    for (bool same : {false, true}) {
      for (const Margin& m : std::vector<Margin>{{1, 1, 1, 1}, {0, 2, 3, 0}}) {
        const auto pool = [&] {
          return std::make_unique<Pool>(average, MakeWindow(3, 2, same), -kInfinity, kInfinity);
        };
        Network alone, both;
        alone.AddOp(pool(), {0}, 1);
        alone.SetInputs({0});
        alone.SetOutputs({1});
        both.AddOp(std::make_unique<Pad>(m), {0}, 1);
        both.AddOp(pool(), {1}, 2);
        both.SetInputs({0});
        both.SetOutputs({2});
        const Kernels& scalar = *FindKernels("scalar");
        ExpectEverywhere(&both, {x}, RunNetwork(&alone, {ReferencePad(x, m)}, 1, scalar, 1));
        std::vector<std::vector<int>> steps;
        for (const Network::StepInfo& step : both.Steps()) steps.push_back(step.ops);
        const std::vector<std::vector<int>> apart = {{0}, {1}}, one = {{1}};
        EXPECT_EQ(steps, average || same ? apart : one);
      }
    }
  }
}

TEST(Pool, Windows) {
  Random random(22);
  std::vector<WindowCase> cases = {
      {{1, 7, 7, 9}, 1, MakeWindow(7, 1, false)},    // one output pixel
      {{2, 1, 1, 5}, 1, MakeWindow(3, 2, true)},     // one pixel
      {{1, 112, 1, 20}, 1, MakeWindow(3, 1, true)},  // narrow
      {{1, 150, 30, 4}, 1, MakeWindow(3, 2, true)},
      {{1, 2, 300, 5}, 1, MakeWindow(2, 2, false)},
      {{2, 7, 7, 33}, 1, MakeWindow(2, 2, true)},    // small planes, whole vectors of channels and not
      {{1, 14, 14, 16}, 1, MakeWindow(3, 2, true)},
      {{1, 5, 6, 17}, 1, MakeWindow(9, 1, true)},    // windows that reach over both sides
      {{1, 32, 32, 17}, 1, MakeWindow(3, 1, true)},  // the largest of the small
      {{1, 41, 25, 17}, 1, MakeWindow(3, 1, true)},
  };
  for (int round = 0; round < kRounds / 3; ++round) {
    WindowCase c = RandomWindowCase({1, 3, 8}, {1}, &random);
    c.window.dilation_h = c.window.dilation_w = 1;
    c.window.margin = {};
    if (Fits(c.input, c.window)) cases.push_back(c);
  }
  for (const WindowCase& c : cases) {
    for (bool average : {false, true}) {
      SCOPED_TRACE(testing::Message() << c << (average ? " average" : " maximum"));
      const Window& w = c.window;
      const Limits limits = RandomLimits(&random);
      const Array x = RandomArray(c.input, &random);
      const int channels = c.input[3];
      const ReferenceAxis rows(c.input[1], w.kernel_h, w.stride_h, 1, w.same);
      const ReferenceAxis columns(c.input[2], w.kernel_w, w.stride_w, 1, w.same);
      Array want({c.input[0], rows.out, columns.out, channels});
      for (int n = 0; n < c.input[0]; ++n) {
        for (int i = 0; i < rows.out; ++i) {
          for (int j = 0; j < columns.out; ++j) {
            for (int k = 0; k < channels; ++k) {
              double total = 0, largest = -kInfinity;
              int covered = 0;
              for (int t = 0; t < w.kernel_h * w.kernel_w; ++t) {
                const int y = i * w.stride_h - rows.pad + t / w.kernel_w;
                const int z = j * w.stride_w - columns.pad + t % w.kernel_w;
                if (y < 0 || y >= c.input[1] || z < 0 || z >= c.input[2]) continue;
                const double v = x.At(n, y, z, k);
                total += v;
                largest = std::max(largest, v);
                ++covered;
              }
              want.At(n, i, j, k) =
                  ReferenceClamp(average ? total / covered : largest, limits.lo, limits.hi);
            }
          }
        }
      }
      Network network;
      network.AddOp(std::make_unique<Pool>(average, w, limits.lo, limits.hi), {0}, 1);
      network.SetInputs({0});
      network.SetOutputs({1});
      for (const Kernels* kernels : AvailableKernels()) {
        for (int threads : kThreads) {
          const Array found = RunNetwork(&network, {x}, 1, *kernels, threads)[0];
          ASSERT_EQ(found.shape, want.shape);
          for (size_t i = 0; i < want.data.size(); ++i) {
            ASSERT_NEAR(found.data[i], want.data[i], 1e-6) << i;  // 1 / 7 is not exact
          }
        }
      }
    }
  }
  EXPECT_NE(Refusal(std::make_unique<Pool>(true, MakeWindow(3, 1, false), 0.0f, 6.0f), {1, 2, 9, 1}), "");
  EXPECT_NE(Refusal(std::make_unique<Pool>(true, MakeWindow(3, 1, false), 0.0f, 6.0f), {9, 9}), "");
}

TEST(Binary, Broadcasts) {
  Random random(23);
  const struct {
    Shape a, b;
  } cases[] = {
      {{2, 5, 7, 3}, {2, 5, 7, 3}}, {{2, 5, 7, 3}, {2, 1, 1, 3}}, {{2, 5, 7, 3}, {1, 1, 1, 3}},
      {{2, 5, 7, 3}, {2, 5, 7, 1}}, {{2, 5, 7, 3}, {1, 5, 7, 3}}, {{2, 5, 7, 3}, {1, 1, 1, 1}},
      {{2, 5, 7, 3}, {2, 1, 1, 1}}, {{2, 5, 7, 3}, {1, 5, 7, 1}}, {{2, 1, 1, 9}, {1, 1, 1, 9}},
      {{2, 1, 1, 9}, {2, 1, 1, 1}}, {{3, 8}, {3, 8}},             {{3, 8}, {1, 8}},
      {{3, 8}, {3, 1}},             {{3, 8}, {1, 1}},             {{2, 3, 4}, {2, 3, 4}},
      {{1, 40, 40, 30}, {1, 40, 40, 30}},  // many tasks
  };
  for (const auto& c : cases) {
    for (bool swapped : {false, true}) {
      SCOPED_TRACE(testing::PrintToString(c.a) + testing::PrintToString(c.b));
      const Array a = RandomArray(c.a, &random), b = RandomArray(c.b, &random);
      Array want(c.a);
      for (size_t i = 0; i < want.data.size(); ++i) {
        const float x = a.data[i], y = Spread(b, c.a, i);
        want.data[i] = ReferenceClamp(swapped ? y - x : x - y, -5, 6);
      }
      Network network;
      network.AddOp(std::make_unique<Binary>(BinaryKind::kSub, -5.0f, 6.0f), {0, 1}, 2);
      network.SetInputs({0, 1});
      network.SetOutputs({2});
      ExpectEverywhere(&network, swapped ? std::vector<Array>{b, a} : std::vector<Array>{a, b}, {want});
      if (HasFatalFailure()) return;
    }
  }
  const auto refused = [](const Shape& a, const Shape& b) {
    Network network;
    network.AddOp(std::make_unique<Binary>(BinaryKind::kAdd, 0.0f, 6.0f), {0, 1}, 2);
    network.SetInputs({0, 1});
    network.SetOutputs({2});
    return !network.Prepare({a, b}, *AvailableKernels().front(), 1).ok();
  };
  EXPECT_TRUE(refused({2, 5, 7, 3}, {3, 5, 7, 3}));
  EXPECT_TRUE(refused({2, 3}, {3, 2}));
}

// Of any shapes that NumPy would take, changing or constant, on either side.
TEST(Binary, AnyBroadcast) {
  Random random(28);
  for (int round = 0; round < kRounds; ++round) {
    Shape a, b, to;
    for (int d = random.Int(1, 4); d-- > 0;) {
      const int size = random.Pick<int>({1, 2, 5, 17});
      to.push_back(size);
      a.push_back(random.Chance(0.7) ? size : 1);
      b.push_back(random.Chance(0.5) || a.back() != size ? size : 1);
    }
    if (random.Chance(0.5)) {
      while (b.size() > 1 && b[0] == 1) b.erase(b.begin());
    }
    SCOPED_TRACE(testing::PrintToString(a) + testing::PrintToString(b));
    const Array x = RandomArray(a, &random), y = RandomArray(b, &random);
    Array want(to);
    Shape aligned(to.size() - b.size(), 1);
    aligned.insert(aligned.end(), b.begin(), b.end());
    const Array z(aligned, y.data);
    const auto fill = [&](bool swapped) {
      for (size_t i = 0; i < want.data.size(); ++i) {
        const float p = Spread(x, to, i), q = Spread(z, to, i);
        want.data[i] = ReferenceClamp(swapped ? q - p : p - q, -5, 6);
      }
    };
    for (bool swapped : {false, true}) {
      fill(swapped);
      Network network;
      network.AddOp(std::make_unique<Binary>(BinaryKind::kSub, -5.0f, 6.0f), {0, 1}, 2);
      network.SetInputs({0, 1});
      network.SetOutputs({2});
      ExpectEverywhere(&network, swapped ? std::vector<Array>{y, x} : std::vector<Array>{x, y}, {want});
      ExpectEverywhere(
          std::make_unique<Binary>(BinaryKind::kSub, -5.0f, 6.0f, y.data, b, swapped), x, want);
      if (HasFatalFailure()) return;
    }
  }
}

TEST(Binary, Constants) {
  Random random(24);
  for (const Shape& shape : std::vector<Shape>{{2, 5, 7, 3}, {2, 1, 1, 9}, {3, 8}, {6}, {2, 3, 4}}) {
    for (bool one : {false, true}) {
      for (bool first : {false, true}) {
        const Array x = RandomArray(shape, &random);
        const std::vector<float> constant = random.Floats(one ? 1 : shape.back());
        Array want = x;
        for (size_t i = 0; i < x.data.size(); ++i) {
          const float c = constant[i % constant.size()];
          want.data[i] = ReferenceClamp(first ? c - x.data[i] : x.data[i] - c, -5, 6);
        }
        ExpectEverywhere(std::make_unique<Binary>(BinaryKind::kSub, -5.0f, 6.0f, constant, Shape{static_cast<int>(constant.size())}, first), x, want);
      }
    }
  }
  EXPECT_NE(Refusal(std::make_unique<Binary>(BinaryKind::kAdd, 0.0f, 6.0f, std::vector<float>(2), Shape{2}, false),
                    {1, 4, 4, 3}),
            "");
}

TEST(Concatenation, Channels) {
  Random random(25);
  for (const std::vector<Shape>& shapes : std::vector<std::vector<Shape>>{
           {{2, 5, 7, 3}, {2, 5, 7, 1}, {2, 5, 7, 9}}, {{2, 1, 1, 3}, {2, 1, 1, 5}}, {{3, 4}, {3, 1}},
           {{2, 3, 4}, {2, 3, 2}}, {{5}, {2}}, {{1, 16, 16, 8}}}) {
    Network network;
    std::vector<Array> inputs;
    std::vector<int> numbers;
    Shape shape = shapes[0];
    shape.back() = 0;
    for (const Shape& s : shapes) {
      inputs.push_back(RandomArray(s, &random));
      numbers.push_back(static_cast<int>(numbers.size()));
      shape.back() += s.back();
    }
    Array want(shape);
    want.data.clear();
    for (size_t row = 0; row < ElementCount(shape) / shape.back(); ++row) {
      for (const Array& x : inputs) {
        for (int c = 0; c < x.shape.back(); ++c) {
          want.data.push_back(x.data[row * x.shape.back() + c]);
        }
      }
    }
    network.AddOp(std::make_unique<Concatenation>(static_cast<int>(shape.size()) - 1), numbers, 10);
    network.SetInputs(numbers);
    network.SetOutputs({10});
    ExpectEverywhere(&network, inputs, {want});
    if (HasFatalFailure()) return;
  }
  const auto refused = [](const Shape& a, const Shape& b) {
    Network network;
    network.AddOp(std::make_unique<Concatenation>(static_cast<int>(a.size()) - 1), {0, 1}, 2);
    network.SetInputs({0, 1});
    network.SetOutputs({2});
    return !network.Prepare({a, b}, *AvailableKernels().front(), 1).ok();
  };
  EXPECT_TRUE(refused({2, 5, 7, 3}, {2, 5, 6, 3}));
  EXPECT_TRUE(refused({2, 5, 7, 3}, {1, 5, 7, 3}));
  EXPECT_TRUE(refused({2, 3}, {3}));
}

// (The functions themselves are tested with the kernels.)
TEST(Activation, EveryLayout) {
  Random random(26);
  for (const Shape& shape : std::vector<Shape>{{1, 5, 7, 3}, {1, 40, 40, 17}, {2, 1, 1, 9}, {2, 33}, {5}}) {
    const Array x = RandomArray(shape, &random);
    Array y = x;
    for (float& v : y.data) v = v < 0 ? v / 4 : v;
    ExpectEverywhere(std::make_unique<Activation>(UnaryKind::kLeakyRelu, 0.25f), x, y);
  }
}

// Weights of one vector come from memory: what has fewer bytes is faster.
TEST(FullyConnected, PacksForOneVector) {
  Random random(40);
  const struct {
    int structure;
    double density;
    int group;
  } cases[] = {{1, 1, 8},   {1, 0.7, 8}, {1, 0.6, 1}, {1, 0.1, 1},
               {2, 0.5, 2}, {4, 0.5, 4}, {4, 0.9, 8}, {8, 0.1, 8}};
  for (const auto& c : cases) {
    OwnedConstant owned;
    EncodeDense(random.Filter(64, 200, c.structure, c.density), {64, 200}, &owned);
    PackedWeights packed;
    ASSERT_TRUE(Pack(owned.constant, nullptr, kOneVectorCost, &packed).ok());
    EXPECT_EQ(packed.group, c.group) << c.structure << ' ' << c.density;
  }
}

TEST(FullyConnected, Shapes) {
  Random random(10);
  const struct {
    Shape input;
    int inputs, outputs;
    bool keep_dims;
    Shape output;
  } cases[] = {
      {{1, 8}, 8, 5, false, {1, 5}},          {{3, 7}, 7, 9, false, {3, 9}},
      {{3, 7}, 7, 9, true, {3, 9}},           {{2, 3, 8}, 8, 4, true, {2, 3, 4}},
      {{2, 3, 8}, 8, 4, false, {6, 4}},       {{2, 3, 8}, 24, 4, false, {2, 4}},
      {{4, 1, 1, 6}, 6, 3, false, {4, 3}},    {{4, 1, 1, 6}, 6, 3, true, {4, 1, 1, 3}},
      {{10}, 10, 4, false, {1, 4}},           {{10}, 10, 4, true, {4}},
      {{2, 300}, 300, 200, false, {2, 200}},  // enough weights for threads
      {{2, 3, 5, 7}, 7, 9, true, {2, 3, 5, 9}}, {{2, 3, 5, 7}, 7, 9, false, {30, 9}},
      {{2, 3, 5, 7}, 105, 9, false, {2, 9}},
  };
  for (const auto& c : cases) {
    for (int group : kGroupSizes) {
      for (double density : {0.3, 1.0}) {
        SCOPED_TRACE(testing::Message() << testing::PrintToString(c.input) << " groups of " << group);
        const Shape shape = {c.outputs, c.inputs};
        const std::vector<float> filter = random.Filter(c.outputs, c.inputs, group, density);
        const std::vector<float> bias = random.Floats(c.outputs);
        const Limits limits = RandomLimits(&random);
        const Array x = RandomArray(c.input, &random);
        ExpectEverywhere(
            std::make_unique<FullyConnected>(PackAs(filter, shape, bias, group, density < 1), c.keep_dims,
                                             limits.lo, limits.hi),
            x, Array(c.output, ReferenceFullyConnected(x.data, filter, bias, limits.lo, limits.hi)));
        if (HasFatalFailure()) return;
      }
    }
  }
  const auto layer = [&](bool keep_dims) {
    const std::vector<float> bias(2, 0.0f);
    return std::make_unique<FullyConnected>(PackAs(random.Floats(6), {2, 3}, bias, 1, false), keep_dims,
                                            -kInfinity, kInfinity);
  };
  EXPECT_NE(Refusal(layer(false), {1, 4}), "");
  EXPECT_NE(Refusal(layer(true), {1, 6}), "");
}

TEST(Softmax, Rows) {
  Random random(11);
  for (const Shape& shape : std::vector<Shape>{{1, 10}, {3, 17}, {5}, {2, 3, 4}, {2, 1, 1, 6}, {2, 5, 7, 6}}) {
    for (float beta : {1.0f, 0.5f}) {
      Array x = RandomArray(shape, &random);
      for (float& v : x.data) v *= 30;  // beyond what exp can take, unless the largest is subtracted
      Network network;
      network.AddOp(std::make_unique<Softmax>(beta), {0}, 1);
      network.SetInputs({0});
      network.SetOutputs({1});
      const std::vector<float> want = ReferenceSoftmax(x.data, shape.back(), beta);
      for (const Kernels* kernels : AvailableKernels()) {
        const Array found = RunNetwork(&network, {x}, 1, *kernels, 1)[0];
        ASSERT_EQ(found.shape, shape);
        for (size_t i = 0; i < want.size(); ++i) EXPECT_NEAR(found.data[i], want[i], 1e-6);
      }
    }
  }
}

TEST(Reshape, EveryLayout) {
  Random random(12);
  const struct {
    Shape from, to, result;
  } cases[] = {
      {{2, 4, 6, 8}, {2, 6, 4, 8}, {2, 6, 4, 8}},    // panel to panel
      {{2, 4, 6, 8}, {1, 8, 3, -1}, {1, 8, 3, 16}},  // images become others
      {{2, 4, 6, 8}, {-1, 192}, {2, 192}},           // panel to flat
      {{2, 4, 6, 8}, {384, 1, 1, 1}, {384, 1, 1, 1}},
      {{2, 192}, {2, 4, 6, 8}, {2, 4, 6, 8}},        // flat to panel
      {{2, 1, 1, 24}, {2, -1, 3, 2}, {2, 4, 3, 2}},
      {{2, 1, 1, 24}, {2, 24}, {2, 24}},             // flat to flat
      {{3, 5}, {-1}, {15}},
      {{3, 5}, {3, 1, 1, 5}, {3, 1, 1, 5}},
      {{2, 3, 4, 5, 6}, {6, 4, 5, 6}, {6, 4, 5, 6}},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(testing::PrintToString(c.to));
    const Array x = RandomArray(c.from, &random);
    ExpectEverywhere(std::make_unique<Reshape>(c.to), x, Array(c.result, x.data));
  }
  EXPECT_NE(Refusal(std::make_unique<Reshape>(Shape{4, 4}), {3, 5}), "");
  EXPECT_NE(Refusal(std::make_unique<Reshape>(Shape{-1, 4}), {3, 5}), "");
  EXPECT_NE(Refusal(std::make_unique<Reshape>(Shape{-1, -1}), {3, 5}), "");
  EXPECT_NE(Refusal(std::make_unique<Reshape>(Shape{-1, 0}), {3, 5}), "");
  EXPECT_NE(Refusal(std::make_unique<Reshape>(Shape{-1, 30}), {3, 5}), "");
}

// ---- Networks

// A network and its reference, built layer by layer.
class Layers {
 public:
  explicit Layers(unsigned seed) : random_(seed) {}

  // Tensors are numbered as they are made; 0 is the input.
  int Convolve(int from, int inputs, int outputs, const Window& w) {
    const Shape shape = {outputs, w.kernel_h, w.kernel_w, inputs};
    const auto filter = random_.Filter(outputs, ElementCount(shape) / outputs, 4, 0.4);
    const auto bias = random_.Floats(outputs);
    return Add(from, std::make_unique<Convolution>(PackAs(filter, shape, bias, RandomKind(&random_), true), w, 0, 6),
               [=](const Array& x) { return ReferenceConvolution(x, filter, bias, w, 0, 6); });
  }
  int DepthwiseConvolve(int from, int channels, const Window& w) {
    auto weights = std::make_shared<DepthwiseWeights>();
    weights->channels = channels;
    weights->taps = random_.Floats(static_cast<size_t>(channels) * w.kernel_h * w.kernel_w);
    weights->bias = random_.Floats(channels);
    return Add(from, std::make_unique<Depthwise>(weights, w, 0, 6), [=](const Array& x) {
      return ReferenceDepthwise(x, weights->taps, 1, weights->bias, w, 0, 6);
    });
  }
  int Padded(int from, const Margin& m) {
    return Add(from, std::make_unique<Pad>(m), [=](const Array& x) { return ReferencePad(x, m); });
  }
  int Flattened(int from, int features) {
    return Add(from, std::make_unique<Reshape>(Shape{-1, features}), [=](const Array& x) {
      return Array({static_cast<int>(x.data.size()) / features, features}, x.data);
    });
  }
  int Dense(int from, int inputs, int outputs) {
    const auto filter = random_.Filter(outputs, inputs, 4, 0.4);
    const auto bias = random_.Floats(outputs);
    return Add(from,
               std::make_unique<FullyConnected>(PackAs(filter, {outputs, inputs}, bias, 4, true), false,
                                                -kInfinity, kInfinity),
               [=](const Array& x) {
                 return Array({x.shape[0], outputs},
                              ReferenceFullyConnected(x.data, filter, bias, -kInfinity, kInfinity));
               });
  }

  void Outputs(const std::vector<int>& outputs) {
    outputs_ = outputs;
    network_.SetInputs({0});
    network_.SetOutputs(outputs);
  }

  void Expect(const Shape& input) {
    SCOPED_TRACE(testing::PrintToString(input));
    const Array x = RandomArray(input, &random_);
    std::vector<Array> values = {x}, want;
    for (const Step& step : steps_) values.push_back(step.second(values[step.first]));
    for (int t : outputs_) want.push_back(values[t]);
    ExpectEverywhere(&network_, {x}, want);
  }

  Network& network() { return network_; }

 private:
  using Step = std::pair<int, std::function<Array(const Array&)>>;

  int Add(int from, std::unique_ptr<Op> op, std::function<Array(const Array&)> reference) {
    steps_.push_back({from, std::move(reference)});
    const int to = static_cast<int>(steps_.size());
    network_.AddOp(std::move(op), {from}, to);
    return to;
  }

  Random random_;
  Network network_;
  std::vector<Step> steps_;
  std::vector<int> outputs_;
};

// A stem, two separable blocks, a head: the shape of MobileNet-v1, small integers throughout.
void BuildSmallNetwork(Layers* layers) {
  int t = layers->Padded(0, {0, 1, 0, 1});
  t = layers->Convolve(t, 3, 8, MakeWindow(3, 2, false));
  t = layers->DepthwiseConvolve(t, 8, MakeWindow(3, 1, true));
  t = layers->Convolve(t, 8, 12, MakeWindow(1, 1, true));
  t = layers->Padded(t, {0, 1, 0, 1});
  t = layers->DepthwiseConvolve(t, 12, MakeWindow(3, 2, false));
  const int last = layers->Convolve(t, 12, 20, MakeWindow(1, 1, true));
  layers->Outputs({last});
}

TEST(Network, ResizedAgainAndAgain) {
  Layers layers(13);
  BuildSmallNetwork(&layers);
  for (const Shape& shape : std::vector<Shape>{{1, 16, 16, 3}, {4, 33, 47, 3}, {1, 5, 5, 3}, {2, 40, 8, 3},
                                               {1, 100, 120, 3}, {3, 16, 16, 3}, {1, 16, 16, 3}}) {
    layers.Expect(shape);
    if (HasFatalFailure()) return;
  }
}

TEST(Network, RecoversFromAShapeThatDoesNotFit) {
  Layers layers(14);
  BuildSmallNetwork(&layers);
  layers.Expect({1, 16, 16, 3});
  const Kernels& kernels = *AvailableKernels().front();
  EXPECT_FALSE(layers.network().Prepare({{1, 16, 16, 4}}, kernels, 2).ok());
  EXPECT_FALSE(layers.network().Prepare({{1, 0, 16, 3}}, kernels, 2).ok());
  EXPECT_FALSE(layers.network().Prepare({{16, 16, 3}}, kernels, 2).ok());
  EXPECT_FALSE(layers.network().Prepare({{1, -16, 16, 3}}, kernels, 2).ok());
  layers.Expect({2, 15, 17, 3});
}

TEST(Network, BranchesAndSeveralOutputs) {
  Layers layers(15);
  const int a = layers.Convolve(0, 5, 8, MakeWindow(3, 1, true));
  const int b = layers.Convolve(a, 8, 6, MakeWindow(1, 1, true));
  const int c = layers.DepthwiseConvolve(a, 8, MakeWindow(3, 2, true));
  const int d = layers.Convolve(c, 8, 9, MakeWindow(1, 1, true));
  const int e = layers.Flattened(b, 6 * 48);
  const int f = layers.Dense(e, 6 * 48, 10);
  layers.Outputs({f, a, d});  // one is read inside, too; not in the order in which they are made
  layers.Expect({1, 6, 8, 5});
  layers.Expect({3, 6, 8, 5});
}

// Convolutions ask for halves, pooling takes them as they come, and a softmax is left to floats.
TEST(Network, WhoComputesInHalves) {
  Random random(41);
  const auto bias = random.Floats(8);
  const auto packed = PackAs(random.Filter(8, 8, 4, 0.5), {8, 1, 1, 8}, bias, 4, true);
  Network network;
  const Window window = MakeWindow(2, 2, true);
  network.AddOp(std::make_unique<Pool>(false, window, 0.0f, 6.0f), {0}, 1, "pool of floats");
  network.AddOp(std::make_unique<Convolution>(packed, MakeWindow(1, 1, true), 0.0f, 6.0f), {1}, 2, "conv");
  network.AddOp(std::make_unique<Pool>(false, window, 0.0f, 6.0f), {2}, 3, "pool");
  network.AddOp(std::make_unique<Softmax>(1.0f), {3}, 4, "softmax");
  network.SetInputs({0});
  network.SetOutputs({4});
  const Kernels& kernels = *AvailableKernels().front();
  const std::vector<std::string> steps = {"pool of floats", "conv", "pool", "softmax"};
  ASSERT_TRUE(network.Prepare({{1, 9, 8, 8}}, kernels, 1).ok());
  EXPECT_EQ(network.labels(), steps);
  for (const Network::StepInfo& step : network.Steps()) EXPECT_FALSE(step.fp16);
  const Kernels* const halves = HalfKernels(kernels);
  if (halves == nullptr) return;
  ASSERT_TRUE(network.Prepare({{1, 9, 8, 8}}, kernels, 1, halves).ok());
  std::vector<std::string> in_halves;
  for (const Network::StepInfo& step : network.Steps()) {
    if (step.fp16) in_halves.push_back(step.label);
  }
  EXPECT_EQ(in_halves, (std::vector<std::string>{"conv", "pool"}));
  EXPECT_EQ(network.labels(), (std::vector<std::string>{"pool of floats", "conversion", "conv", "pool",
                                                        "conversion", "softmax"}));
  ASSERT_TRUE(network.Prepare({{1, 9, 8, 8}}, kernels, 1).ok());
  EXPECT_EQ(network.labels(), steps) << "not for ever";
}

TEST(Network, PadWithSeveralReadersOrAsOutput) {
  Layers two(16);
  const int pad = two.Padded(0, {1, 0, 2, 1});
  const int a = two.Convolve(pad, 3, 4, MakeWindow(3, 1, false));
  const int b = two.DepthwiseConvolve(pad, 3, MakeWindow(3, 1, false));
  two.Outputs({a, b});
  two.Expect({2, 7, 9, 3});
  Layers seen(17);
  const int p = seen.Padded(0, {1, 0, 2, 1});
  const int c = seen.Convolve(p, 3, 4, MakeWindow(3, 1, false));
  seen.Outputs({c, p});
  seen.Expect({2, 7, 9, 3});
}

TEST(Network, PadUponPad) {
  Layers layers(18);
  int t = layers.Padded(0, {1, 2, 0, 1});
  t = layers.Padded(t, {0, 1, 3, 0});
  t = layers.DepthwiseConvolve(t, 3, MakeWindow(3, 2, true));  // SAME counts the margin as image
  t = layers.Padded(t, {0, 0, 1, 1});
  t = layers.Convolve(t, 3, 6, MakeWindow(1, 1, false));
  layers.Outputs({t});
  layers.Expect({1, 9, 8, 3});
  layers.Expect({2, 1, 1, 3});
}

// The first layer of few channels gathers its pixels from the caller's memory; not if another reader
// wants panels.
TEST(Network, InputWithSeveralReaders) {
  Layers layers(19);
  const int a = layers.Convolve(0, 3, 4, MakeWindow(3, 2, true));
  const int b = layers.Convolve(0, 3, 5, MakeWindow(1, 1, true));
  layers.Outputs({a, b});
  layers.Expect({2, 11, 13, 3});
  Layers both(20);
  const int c = both.Convolve(0, 3, 4, MakeWindow(3, 2, true));
  const int d = both.Convolve(0, 3, 5, MakeWindow(5, 1, true));
  both.Outputs({c, d});
  both.Expect({2, 11, 13, 3});
}

// A residual addition, and a gate made of the branch that it gates.
TEST(Network, ResidualAndGate) {
  Random random(27);
  const Window same = MakeWindow(3, 1, true);
  const auto bias = random.Floats(8);
  const auto filter = random.Filter(8, 72, 4, 0.5);
  Network network;
  network.AddOp(std::make_unique<Convolution>(PackAs(filter, {8, 3, 3, 8}, bias, 4, true), same, 0, 6), {0}, 1);
  network.AddOp(std::make_unique<Binary>(BinaryKind::kAdd, 0.0f, 6.0f), {1, 0}, 2);
  network.AddOp(std::make_unique<Pool>(false, MakeWindow(5, 1, false), -kInfinity, kInfinity), {2}, 3);
  network.AddOp(std::make_unique<Binary>(BinaryKind::kMul, -kInfinity, kInfinity), {3, 2}, 4);
  network.SetInputs({0});
  network.SetOutputs({4});
  const Array x = RandomArray({2, 5, 5, 8}, &random);
  Array want = ReferenceConvolution(x, filter, bias, same, 0, 6);
  Array gate({2, 1, 1, 8});
  for (size_t i = 0; i < want.data.size(); ++i) {
    want.data[i] = ReferenceClamp(want.data[i] + x.data[i], 0, 6);
    float& most = gate.data[i / 200 * 8 + i % 8];  // all are at least 0
    most = std::max(most, want.data[i]);
  }
  for (size_t i = 0; i < want.data.size(); ++i) want.data[i] *= gate.data[i / 200 * 8 + i % 8];
  ExpectEverywhere(&network, {x}, {want});
}

// Additions and limits behind convolutions, which these do themselves where they may.
class Residual {
 public:
  struct Case {
    int inputs;
    Window window;
    Limits convolution, add, last;  // `last` of a clamp behind the addition
  };

  explicit Residual(const Case& c) : case_(c) {
    const Shape shape = {8, c.window.kernel_h, c.window.kernel_w, c.inputs};
    filter_ = random_.Filter(8, ElementCount(shape) / 8, 4, 0.5);
    const auto convolution = [&] {
      return std::make_unique<Convolution>(PackAs(filter_, shape, bias_, 4, true), c.window,
                                           c.convolution.lo, c.convolution.hi);
    };
    network_.AddOp(convolution(), {0}, 2, "conv");
    network_.AddOp(std::make_unique<Binary>(BinaryKind::kAdd, c.add.lo, c.add.hi), {2, 1}, 3, "add");
    network_.AddOp(std::make_unique<Clamp>(c.last.lo, c.last.hi), {3}, 4, "clamp");
    network_.SetInputs({0, 1});
  }

  // With the operand of this shape; and the labels of the steps.
  void Expect(const Shape& x_shape, const Shape& operand, const std::vector<int>& outputs,
              const std::vector<std::string>& labels) {
    SCOPED_TRACE(testing::PrintToString(x_shape) + " + " + testing::PrintToString(operand));
    network_.SetOutputs(outputs);
    const Array x = RandomArray(x_shape, &random_), added = RandomArray(operand, &random_);
    std::vector<Array> values(5);
    values[2] = ReferenceConvolution(x, filter_, bias_, case_.window, case_.convolution.lo,
                                     case_.convolution.hi);
    values[3] = values[2];
    for (size_t i = 0; i < values[3].data.size(); ++i) {
      const size_t from = i % added.data.size();  // one image may be added to all
      values[3].data[i] = ReferenceClamp(values[3].data[i] + added.data[from], case_.add.lo, case_.add.hi);
    }
    values[4] = values[3];
    for (float& v : values[4].data) v = ReferenceClamp(v, case_.last.lo, case_.last.hi);
    std::vector<Array> want;
    for (int t : outputs) want.push_back(values[t]);
    ExpectEverywhere(&network_, {x, added}, want);
    EXPECT_EQ(network_.labels(), labels);
  }

 private:
  const Case case_;
  Random random_{28};
  std::vector<float> filter_, bias_ = random_.Floats(8);
  Network network_;
};

TEST(Network, ResidualInsideAConvolution) {
  const Limits none = {-kInfinity, kInfinity}, relu = {0, kInfinity};
  const std::vector<std::string> all = {"conv + add + clamp"};
  for (const Window& window : {MakeWindow(1, 1, true), MakeWindow(3, 1, true), MakeWindow(3, 2, true)}) {
    Residual r({5, window, none, relu, {-1, 6}});
    const auto result = [&](int h, int w) {
      return Shape{1, (h + window.stride_h - 1) / window.stride_h, (w + window.stride_w - 1) / window.stride_w, 8};
    };
    r.Expect({1, 7, 9, 5}, result(7, 9), {4}, all);
    r.Expect({1, 16, 32, 5}, result(16, 32), {4}, all);
    r.Expect({1, 120, 40, 5}, result(120, 40), {4}, all);
    // An operand that is spread over the images is not fused, and neither are images of one pixel.
    r.Expect({3, 7, 9, 5}, result(7, 9), {4}, {"conv", "add", "clamp"});
    r.Expect({2, 1, 1, 5}, {2, 1, 1, 8}, {4}, {"conv", "add", "clamp"});
    // What the outside reads must be there.
    r.Expect({1, 7, 9, 5}, result(7, 9), {4, 3}, {"conv + add", "clamp"});
    r.Expect({1, 7, 9, 5}, result(7, 9), {2, 4}, {"conv", "add", "clamp"});
  }
  // Limits come behind the sum.
  Residual limited({5, MakeWindow(3, 1, true), {0, 6}, none, {-1, 1}});
  limited.Expect({2, 7, 9, 5}, {2, 7, 9, 8}, {4}, {"conv", "add", "clamp"});
  // A convolution that gathers few channels from the outside's layout, and adds them as a panel.
  Random random(29);
  const auto filter = random.Filter(3, 27, 1, 0.5), bias = random.Floats(3);
  const Window same = MakeWindow(3, 1, true);
  Network network;
  network.AddOp(std::make_unique<Convolution>(PackAs(filter, {3, 3, 3, 3}, bias, 1, true), same,
                                              -kInfinity, kInfinity), {0}, 1);
  network.AddOp(std::make_unique<Binary>(BinaryKind::kAdd, 0.0f, 6.0f), {1, 0}, 2);
  network.SetInputs({0});
  network.SetOutputs({2});
  const Array x = RandomArray({2, 9, 11, 3}, &random);
  Array want = ReferenceConvolution(x, filter, bias, same, -kInfinity, kInfinity);
  for (size_t i = 0; i < want.data.size(); ++i) want.data[i] = ReferenceClamp(want.data[i] + x.data[i], 0, 6);
  ExpectEverywhere(&network, {x}, {want});
}

// Activations behind what they are applied to, in one step. (LEAKY_RELU of small integers is exact.)
TEST(Network, ActivationInsideItsMaker) {
  Random random(30);
  const auto leaky = [](Array a) {
    for (float& v : a.data) v = v < 0 ? 0.25f * v : v;
    return a;
  };
  for (const Window& window : {MakeWindow(1, 1, true), MakeWindow(3, 1, true), MakeWindow(3, 2, true),
                               MakeWindow(5, 1, true), MakeWindow(3, 1, true, 2)}) {
    for (const Shape& shape : {Shape{2, 1, 1, 8}, Shape{2, 7, 7, 8}, Shape{1, 16, 32, 8}, Shape{1, 70, 61, 8}}) {
      const int taps = window.kernel_h * window.kernel_w;
      const Array x = RandomArray(shape, &random);
      const auto filter = random.Filter(24, taps * 8, 4, 0.5), bias = random.Floats(24);
      const auto weights = std::make_shared<DepthwiseWeights>();
      *weights = {16, 2, random.Floats(16 * taps), random.Floats(16)};
      const auto single = std::make_shared<DepthwiseWeights>();
      *single = {8, 1, random.Floats(8 * taps), random.Floats(8)};
      const Shape filter_shape = {24, window.kernel_h, window.kernel_w, 8};
      std::unique_ptr<Op> makers[] = {
          std::make_unique<Convolution>(PackAs(filter, filter_shape, bias, 4, true), window, -9, 9),
          std::make_unique<Depthwise>(weights, window, -9, 9),
          std::make_unique<Depthwise>(single, window, -9, 9)};
      const Array made[] = {
          ReferenceConvolution(x, filter, bias, window, -9, 9),
          ReferenceDepthwise(x, weights->taps, 2, weights->bias, window, -9, 9),
          ReferenceDepthwise(x, single->taps, 1, single->bias, window, -9, 9)};
      for (int i = 0; i < 3; ++i) {
        SCOPED_TRACE(testing::Message() << "maker " << i << " of " << testing::PrintToString(shape) << ", "
                                        << window.kernel_h << " x " << window.kernel_w);
        Network network;
        network.AddOp(std::move(makers[i]), {0}, 1, "make");
        network.AddOp(std::make_unique<Activation>(UnaryKind::kLeakyRelu, 0.25f), {1}, 2, "apply");
        network.SetInputs({0});
        network.SetOutputs({2});
        ExpectEverywhere(&network, {x}, {leaky(made[i])});
        EXPECT_EQ(network.labels(), std::vector<std::string>({"make + apply"}));
        network.SetOutputs({1, 2});  // both are read: nothing to save
        ExpectEverywhere(&network, {x}, {made[i], leaky(made[i])});
        EXPECT_EQ(network.labels(), std::vector<std::string>({"make", "apply"}));
      }
    }
  }
  // Nothing comes behind an activation, nor an activation behind a sum.
  const auto filter = random.Filter(8, 8, 4, 0.5), bias = random.Floats(8);
  const auto convolve = [&] {
    return std::make_unique<Convolution>(PackAs(filter, {8, 1, 1, 8}, bias, 4, true),
                                         MakeWindow(1, 1, true), -kInfinity, kInfinity);
  };
  const Array x = RandomArray({1, 7, 9, 8}, &random);
  const Array y = ReferenceConvolution(x, filter, bias, MakeWindow(1, 1, true), -kInfinity, kInfinity);
  Network limited;
  limited.AddOp(convolve(), {0}, 1, "conv");
  limited.AddOp(std::make_unique<Activation>(UnaryKind::kLeakyRelu, 0.25f), {1}, 2, "apply");
  limited.AddOp(std::make_unique<Clamp>(-1.0f, 1.0f), {2}, 3, "clamp");
  limited.SetInputs({0});
  limited.SetOutputs({3});
  Array want = leaky(y);
  for (float& v : want.data) v = ReferenceClamp(v, -1, 1);
  ExpectEverywhere(&limited, {x}, {want});
  EXPECT_EQ(limited.labels(), std::vector<std::string>({"conv + apply", "clamp"}));
  Network added;
  added.AddOp(convolve(), {0}, 1, "conv");
  added.AddOp(std::make_unique<Binary>(BinaryKind::kAdd, -kInfinity, kInfinity), {1, 0}, 2, "add");
  added.AddOp(std::make_unique<Activation>(UnaryKind::kLeakyRelu, 0.25f), {2}, 3, "apply");
  added.SetInputs({0});
  added.SetOutputs({3});
  want = y;
  for (size_t i = 0; i < want.data.size(); ++i) want.data[i] += x.data[i];
  ExpectEverywhere(&added, {x}, {leaky(want)});
  EXPECT_EQ(added.labels(), std::vector<std::string>({"conv + add", "apply"}));
}

// x -> logistic(x) -> x * logistic(x) is one operator, if nobody else reads what is between.
TEST(Network, LogisticAndProductAreSwish) {
  Random random(32);
  const auto run = [&](const std::vector<int>& factors, Limits limits, const std::vector<int>& outputs,
                       const std::vector<std::string>& labels) {
    Network network;
    network.AddOp(std::make_unique<Clamp>(-3.0f, 3.0f), {0}, 1, "x");
    network.AddOp(std::make_unique<Activation>(UnaryKind::kLogistic), {1}, 2, "gate");
    network.AddOp(std::make_unique<Binary>(BinaryKind::kMul, limits.lo, limits.hi), factors, 3, "mul");
    network.SetInputs({0});
    network.SetOutputs(outputs);
    const Array x = RandomArray({1, 5, 7, 3}, &random);
    for (const Kernels* kernels : AvailableKernels()) {
      const std::vector<Array> found = RunNetwork(&network, {x}, outputs.size(), *kernels, 1);
      for (size_t i = 0; i < x.data.size(); ++i) {
        double values[4] = {x.data[i], std::min(3.0f, std::max(-3.0f, x.data[i])), 0, 0};
        values[2] = 1 / (1 + std::exp(-values[1]));
        values[3] = ReferenceClamp(values[factors[0]] * values[factors[1]], limits.lo, limits.hi);
        for (size_t o = 0; o < outputs.size(); ++o) {
          ASSERT_NEAR(found[o].data[i], values[outputs[o]], 2e-6) << kernels->isa;
        }
      }
      EXPECT_EQ(network.labels(), labels);
    }
  };
  const Limits none = {-kInfinity, kInfinity};
  const std::vector<std::string> all = {"x", "gate", "mul"};
  run({1, 2}, none, {3}, {"x", "gate + mul"});
  run({2, 1}, none, {3}, {"x", "gate + mul"});
  run({2, 1}, none, {3, 1}, {"x", "gate + mul"});
  run({2, 1}, {0, kInfinity}, {3}, all);
  run({2, 1}, {-kInfinity, 1}, {3}, all);
  run({2, 1}, none, {3, 2}, all);
  run({2, 2}, none, {3}, all);
  run({2, 0}, none, {3}, all);
}

// Squeeze-and-excitation: the gate multiplies weights where they are fewer than what it would
// multiply otherwise.
TEST(Network, GateInsideAConvolution) {
  Random random(33);
  const Window one = MakeWindow(1, 1, true);
  const auto run = [&](const Shape& shape, const Shape& gate_shape, int outputs, int group, const Window& window,
                       Limits limits, bool added, const std::vector<int>& read,
                       const std::vector<std::string>& labels) {
    const Array x = RandomArray(shape, &random), gate = RandomArray(gate_shape, &random);
    Array gated = x;
    const size_t image = ElementCount(shape) / shape[0], channels = shape[3];
    for (size_t i = 0; i < gated.data.size(); ++i) {
      const size_t n = gate_shape[0] == 1 ? 0 : i / image;
      gated.data[i] = ReferenceClamp(gated.data[i] * gate.data[n * channels + i % channels], limits.lo, limits.hi);
    }
    const int taps = window.kernel_h * window.kernel_w;
    const auto filter = random.Filter(outputs, static_cast<size_t>(taps) * channels, 4, 0.5), bias = random.Floats(outputs);
    const float limit = added ? kInfinity : 40;  // nothing is added behind limits
    Array y = ReferenceConvolution(gated, filter, bias, window, -limit, limit);
    Array other = RandomArray(y.shape, &random);
    for (size_t i = 0; i < y.data.size() && added; ++i) y.data[i] += other.data[i];
    for (const std::vector<int>& factors : {std::vector<int>{0, 1}, std::vector<int>{1, 0}}) {
      SCOPED_TRACE(testing::Message() << testing::PrintToString(shape) << " by " << testing::PrintToString(gate_shape)
                                      << " to " << outputs << " in groups of " << group);
      Network network;
      network.AddOp(std::make_unique<Binary>(BinaryKind::kMul, limits.lo, limits.hi), factors, 3, "gate");
      network.AddOp(std::make_unique<Convolution>(PackAs(filter, {outputs, window.kernel_h, window.kernel_w, shape[3]}, bias, group, true),
                                                  window, -limit, limit),
                    {3}, 4, "conv");
      if (added) network.AddOp(std::make_unique<Binary>(BinaryKind::kAdd, -kInfinity, kInfinity), {2, 4}, 5, "add");
      network.SetInputs({0, 1, 2});
      network.SetOutputs(read);
      std::vector<Array> want;
      for (int t : read) want.push_back(t == 3 ? gated : y);
      ExpectEverywhere(&network, {x, gate, other}, want);
      EXPECT_EQ(network.labels(), labels);
    }
  };
  const Limits none = {-kInfinity, kInfinity};
  const std::vector<std::string> folded = {"gate + conv"}, both = {"gate", "conv"};
  for (int group : kGroupSizes) {
    for (const Shape& shape : {Shape{1, 7, 7, 9}, Shape{3, 5, 6, 16}, Shape{1, 16, 16, 24}}) {
      const Shape gate = {shape[0], 1, 1, shape[3]};
      run(shape, gate, 12, group, one, none, false, {4}, folded);
      run(shape, gate, 12, group, one, none, true, {5}, {"gate + conv + add"});
      run(shape, gate, 12, group, one, none, false, {4, 3}, both);
    }
  }
  // Weights of more columns than a task takes.
  run({1, 40, 40, 600}, {1, 1, 1, 600}, 24, 1, one, none, false, {4}, folded);
  run({1, 3, 3, 40}, {1, 1, 1, 40}, 96, 4, one, none, false, {4}, both);
  run({1, 7, 7, 9}, {1, 1, 1, 9}, 12, kMixed, one, none, false, {4}, both);
  run({1, 7, 7, 9}, {1, 1, 1, 9}, 4, 4, MakeWindow(3, 1, true), none, false, {4}, both);
  run({1, 7, 7, 9}, {1, 1, 1, 9}, 12, 4, one, {0, kInfinity}, false, {4}, both);
  run({2, 7, 7, 9}, {1, 1, 1, 9}, 12, 4, one, none, false, {4}, both);
}

TEST(Network, SeveralInputs) {
  Random random(21);
  Network network;
  network.AddOp(std::make_unique<Clamp>(0.0f, 2.0f), {0}, 2);
  network.AddOp(std::make_unique<Clamp>(-1.0f, 1.0f), {1}, 3);
  network.SetInputs({1, 0});
  network.SetOutputs({2, 3});
  const Array x = RandomArray({1, 4, 5, 3}, &random), y = RandomArray({2, 7}, &random);
  Array cx = x, cy = y;
  for (float& v : cx.data) v = ReferenceClamp(v, 0, 2);
  for (float& v : cy.data) v = ReferenceClamp(v, -1, 1);
  ExpectEverywhere(&network, {y, x}, {cx, cy});
}

// ---- Rows handed on while they are in the cache

// Operators one behind the other that can hand on rows, and at times a sum with an earlier tensor.
void BuildRows(unsigned seed, const Shape& input, Network* network) {
  Random random(seed);
  Shape shape = input;
  int tensor = 0, last = 0;
  std::vector<std::pair<int, Shape>> made = {{0, shape}};
  const auto add = [&](std::unique_ptr<Op> op, std::vector<int> inputs) {
    std::vector<Shape> shapes(inputs.size(), shape);
    Shape output;
    if (!op->InferShape(shapes, &output).ok() || output[1] < 1 || output[2] < 1) return;
    tensor = ++last;
    network->AddOp(std::move(op), std::move(inputs), tensor, "layer " + std::to_string(tensor));
    shape = output;
    made.push_back({tensor, shape});
  };
  const int layers = random.Int(2, 6);
  for (int layer = 0; layer < layers; ++layer) {
    const int channels = shape[3];
    Window w = MakeWindow(random.Pick<int>({1, 3, 3, 5}), random.Pick<int>({1, 1, 2}), random.Chance(0.7));
    if (random.Chance(0.2)) w.dilation_h = w.dilation_w = 2;
    if (random.Chance(0.2)) w.margin = {random.Int(0, 6), random.Int(0, 6), random.Int(0, 3), random.Int(0, 3)};
    const double kind = random.Chance(0.3) ? 0 : random.Chance(0.5) ? 1 : random.Chance(0.8) ? 2 : 3;
    if (kind == 1) {
      auto weights = std::make_shared<DepthwiseWeights>();
      weights->multiplier = random.Pick<int>({1, 1, 1, 2});
      weights->channels = channels * weights->multiplier;
      weights->taps = random.Floats(static_cast<size_t>(weights->channels) * w.kernel_h * w.kernel_w);
      weights->bias = random.Floats(weights->channels);
      add(std::make_unique<Depthwise>(weights, w, 0, 6), {tensor});
    } else if (kind == 3) {
      w.margin = {};
      w.dilation_h = w.dilation_w = 1;
      add(std::make_unique<Pool>(false, w, -kInfinity, kInfinity), {tensor});
    } else {
      if (kind == 0) w = MakeWindow(1, 1, true);
      const int outputs = random.Pick<int>({5, 8, 12, 20});
      const Shape filter_shape = {outputs, w.kernel_h, w.kernel_w, channels};
      const auto filter = random.Filter(outputs, ElementCount(filter_shape) / outputs, 4, 0.4);
      const auto bias = random.Floats(outputs);
      add(std::make_unique<Convolution>(PackAs(filter, filter_shape, bias, RandomKind(&random), true), w, 0, 6),
          {tensor});
    }
    if (random.Chance(0.3)) {
      for (const auto& [other, size] : made) {
        if (other == tensor || size != shape) continue;
        add(std::make_unique<Binary>(BinaryKind::kAdd, -5.0f, 6.0f), {tensor, other});
        break;
      }
    }
  }
  network->SetInputs({0});
  network->SetOutputs({tensor});
}

TEST(Chain, GivesWhatWholeTensorsGive) {
  const Kernels& scalar = *FindKernels("scalar");
  int smaller = 0;
  for (int round = 0; round < kRounds; ++round) {
    SCOPED_TRACE(testing::Message() << "seed " << round);
    Random random(1000 + round);
    const Shape input = {random.Pick<int>({1, 1, 3}), random.Int(20, 48), random.Pick<int>({16, 28, 32, 40, 35}),
                         random.Pick<int>({3, 8, 13})};
    const Array x = RandomArray(input, &random);
    Network whole, rows;
    BuildRows(round, input, &whole);
    BuildRows(round, input, &rows);
    rows.set_cache_bytes(random.Pick<int>({16 << 10, 24 << 10, 40 << 10}));
    if (!whole.Prepare({input}, scalar, 1).ok() || whole.labels().empty()) continue;
    const std::vector<Array> want = RunNetwork(&whole, {x}, 1, scalar, 1);
    ExpectEverywhere(&rows, {x}, want);
    if (testing::Test::HasFatalFailure()) return;
    EXPECT_EQ(rows.labels(), whole.labels());
    ASSERT_TRUE(rows.Prepare({input}, scalar, 1).ok());
    smaller += rows.arena_bytes() < whole.arena_bytes();
  }
  EXPECT_GT(smaller, kRounds / 5);  // or chains were not what was tested
}

// MobileNet's first layers: what is between them is never there as a whole.
TEST(Chain, NeedsLessMemory) {
  Layers layers(31);
  int t = layers.Convolve(0, 3, 16, MakeWindow(3, 2, true));
  t = layers.DepthwiseConvolve(t, 16, MakeWindow(3, 1, true));
  t = layers.Convolve(t, 16, 32, MakeWindow(1, 1, true));
  layers.Outputs({layers.DepthwiseConvolve(t, 32, MakeWindow(3, 2, true))});
  Network& network = layers.network();
  const Shape input = {1, 128, 128, 3};
  const Kernels& kernels = *AvailableKernels().front();
  ASSERT_TRUE(network.Prepare({input}, kernels, 1).ok());
  const uint64_t whole = network.arena_bytes();
  EXPECT_GT(whole, (16 + 32) * 64 * 64 * sizeof(float));
  network.set_cache_bytes(200 << 10);
  layers.Expect(input);
  ASSERT_TRUE(network.Prepare({input}, kernels, 1).ok());
  EXPECT_LT(network.arena_bytes(), whole / 2);

  // With the time of each operator.
  const std::vector<float> x(ElementCount(input));
  std::vector<float> y(ElementCount(network.output_shape(0)));
  std::vector<double> seconds;
  network.Run({x.data()}, {y.data()}, &seconds);
  ASSERT_EQ(seconds.size(), network.labels().size());
  for (double s : seconds) EXPECT_GT(s, 0);
}

// A damaged file may ask for it, and planning must not take the time of all of its rows over and over.
TEST(Chain, PlansVeryHighImages) {
  Layers layers(32);
  int t = layers.DepthwiseConvolve(0, 8, MakeWindow(3, 1, true));
  t = layers.Convolve(t, 8, 8, MakeWindow(1, 1, true));
  layers.Outputs({layers.DepthwiseConvolve(t, 8, MakeWindow(5, 2, true))});
  EXPECT_TRUE(layers.network().Prepare({{1, 1 << 20, 2, 8}}, *FindKernels("scalar"), 2).ok());
}

// ---- Memory fetched ahead of its use

TEST(Ahead, HandsOutEachByteInOrderOfUse) {
  const std::vector<char> first(100000), second(64), third(3 << 20);
  Ahead ahead;
  ahead.Clear();
  ahead.Add({first.data(), first.size()});
  ahead.EndStep();
  ahead.EndStep();  // a step that uses nothing new
  ahead.Add({second.data(), second.size()});
  ahead.Add({third.data(), third.size()});
  ahead.EndStep();
  for (int run = 0; run < 2; ++run) {
    ahead.Begin(0);
    EXPECT_EQ(ahead.Take(0).begin, nullptr);
    Ahead::Lines lines = ahead.Take(10);
    EXPECT_EQ(lines.begin, first.data());
    EXPECT_EQ(lines.step, 64u);
    lines = ahead.Take(10000);  // what is left of the range, in smaller steps
    EXPECT_EQ(lines.begin, first.data() + 640);
    EXPECT_EQ(lines.step, 10u);
    EXPECT_EQ(ahead.Take(5).begin, second.data());
    // Of the third no more than stays in a cache until it is used.
    size_t taken = 0;
    for (;;) {
      lines = ahead.Take(100);
      if (lines.begin == nullptr) break;
      ASSERT_EQ(lines.begin, third.data() + taken);
      taken += 100 * lines.step;
    }
    EXPECT_GT(taken, size_t{800} << 10);
    EXPECT_LT(taken, size_t{1100} << 10);
    // The next step goes on where this one stopped.
    ahead.Begin(1);
    EXPECT_EQ(ahead.Take(1).begin, third.data() + taken);
  }
}

}  // namespace
}  // namespace sbnn
