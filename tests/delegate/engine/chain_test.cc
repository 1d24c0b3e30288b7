#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "delegate/engine/network.h"
#include "delegate/engine/ops/binary.h"
#include "delegate/engine/ops/convolution.h"
#include "delegate/engine/ops/depthwise.h"
#include "delegate/engine/ops/pool.h"
#include "gtest/gtest.h"
#include "tests/delegate/engine/cases.h"
#include "tests/delegate/engine/layers.h"

namespace sbnn {
namespace {

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
    Window w =
        MakeWindow(random.Pick<int>({1, 3, 3, 5}), random.Pick<int>({1, 1, 2}), random.Chance(0.7));
    if (random.Chance(0.2)) w.dilation_h = w.dilation_w = 2;
    if (random.Chance(0.2))
      w.margin = {random.Int(0, 6), random.Int(0, 6), random.Int(0, 3), random.Int(0, 3)};
    const double kind = random.Chance(0.3)   ? 0
                        : random.Chance(0.5) ? 1
                        : random.Chance(0.8) ? 2
                                             : 3;
    if (kind == 1) {
      auto weights = std::make_shared<DepthwiseWeights>();
      weights->multiplier = random.Pick<int>({1, 1, 1, 2});
      weights->channels = channels * weights->multiplier;
      weights->taps =
          random.Floats(static_cast<size_t>(weights->channels) * w.kernel_h * w.kernel_w);
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
      add(std::make_unique<Convolution>(
              PackAs(filter, filter_shape, bias, RandomKind(&random), true), w, 0, 6),
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
  const Kernels& last = *AvailableKernels().back();
  int smaller = 0;
  for (int round = 0; round < kRounds; ++round) {
    SCOPED_TRACE(testing::Message() << "seed " << round);
    Random random(1000 + round);
    const Shape input = {random.Pick<int>({1, 1, 3}), random.Int(20, 48),
                         random.Pick<int>({16, 28, 32, 40, 35}), random.Pick<int>({3, 8, 13})};
    const Array x = RandomArray(input, &random);
    Network whole, rows;
    BuildRows(round, input, &whole);
    BuildRows(round, input, &rows);
    rows.set_cache_bytes(random.Pick<int>({16 << 10, 24 << 10, 40 << 10}));
    if (!whole.Prepare({input}, last, 1).ok() || Labels(whole).empty()) continue;
    const std::vector<Array> want = RunNetwork(&whole, {x}, 1, last, 1);
    ExpectEverywhere(&rows, {x}, want);
    if (testing::Test::HasFatalFailure()) return;
    EXPECT_EQ(Labels(rows), Labels(whole));
    ASSERT_TRUE(rows.Prepare({input}, last, 1).ok());
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
  ASSERT_TRUE(network.Run({x.data()}, {y.data()}, &seconds).ok());
  ASSERT_EQ(seconds.size(), Labels(network).size());
  for (double s : seconds) EXPECT_GT(s, 0);
}

// So many that tiles are copied, where kernels ask for that.
TEST(Chain, OfManyChannels) {
  const Window one = MakeWindow(1, 1, true);
  Layers layers(33);
  int t = layers.Convolve(0, 72, 72, one);
  t = layers.DepthwiseConvolve(t, 72, MakeWindow(3, 1, true));
  layers.Outputs({layers.Convolve(t, 72, 70, one)});
  layers.network().set_cache_bytes(96 << 10);
  const Shape input = {1, 30, 28, 72};
  layers.Expect(input);
  ASSERT_TRUE(layers.network().Prepare({input}, *AvailableKernels().front(), 1).ok());
  EXPECT_LT(layers.network().arena_bytes(), ElementCount(input) * 3 * sizeof(float));
}

// A damaged file may ask for it, and planning must not take the time of all of its rows over and
// over.
TEST(Chain, PlansVeryHighImages) {
  Layers layers(32);
  int t = layers.DepthwiseConvolve(0, 8, MakeWindow(3, 1, true));
  t = layers.Convolve(t, 8, 8, MakeWindow(1, 1, true));
  layers.Outputs({layers.DepthwiseConvolve(t, 8, MakeWindow(5, 2, true))});
  EXPECT_TRUE(layers.network().Prepare({{1, 1 << 20, 2, 8}}, *AvailableKernels().back(), 2).ok());
}

}  // namespace
}  // namespace sbnn
