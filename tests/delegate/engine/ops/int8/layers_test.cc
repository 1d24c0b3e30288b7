// Layers of int8 with weights against a plain reference, on every instruction set.
#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "delegate/engine/network.h"
#include "delegate/engine/ops/int8/convolution.h"
#include "delegate/engine/ops/int8/depthwise.h"
#include "delegate/engine/ops/int8/fully_connected.h"
#include "delegate/engine/ops/int8/gathered_convolution.h"
#include "gtest/gtest.h"
#include "tests/delegate/random.h"

namespace sbnn {
namespace {

#if defined(__x86_64__)
constexpr int kLayers = 60;
#else
constexpr int kLayers = 8;  // emulated
#endif

std::vector<int8_t> AnyBytes(size_t count, int least, double density, Random* random) {
  std::vector<int8_t> bytes(count, 0);
  for (int8_t& b : bytes) {
    if (random->Chance(density)) b = static_cast<int8_t>(random->Int(least, 127));
  }
  return bytes;
}

// A window on a random image, and what a layer makes of it.
struct Problem {
  explicit Problem(Random* random) {
    window.kernel_h = random->Int(1, 3);
    window.kernel_w = random->Int(1, 3);
    window.stride_h = random->Int(1, 2);
    window.stride_w = random->Int(1, 2);
    window.same = random->Chance(0.7);
    if (random->Chance(0.3)) window.dilation_h = window.dilation_w = 2;
    if (random->Chance(0.3)) window.margin = {1, 0, 2, 1};
    input = {random->Int(1, 2), random->Int(5, 20), random->Int(5, 20), random->Int(1, 13)};
    if (random->Chance(0.1)) {  // no pixels: all that windows meet is a margin
      input[random->Int(1, 2)] = 0;
      window.margin = {2, 1, 1, 2};
      window.same = true;
    }
    zero_points[0] = random->Int(-128, 127);
    zero_points[1] = random->Int(-128, 127);
    limits.lo = static_cast<int8_t>(random->Int(-128, 0));
    limits.hi = static_cast<int8_t>(random->Int(0, 127));
  }

  void MakeWeights(int outputs, size_t count, Random* random) {
    x = AnyBytes(ElementCount(input), -128, 1, random);
    weights =
        AnyBytes(count, random->Chance(0.3) ? -128 : -127, random->Chance(0.5) ? 0.3 : 1, random);
    for (int o = 0; o < outputs; ++o) {
      bias.push_back(random->Int(-5000, 5000));
      scale.push_back(0.0005f * static_cast<float>(random->Int(1, 20)));
    }
  }

  int8_t Finished(int64_t sum, int o) const {
    const float product = static_cast<float>(static_cast<int32_t>(sum + bias[o])) * scale[o];
    const double y = std::nearbyint(static_cast<double>(product)) + zero_points[1];
    return static_cast<int8_t>(std::min<double>(std::max<double>(y, limits.lo), limits.hi));
  }

  // Of one output pixel: fn(input channel, tap) is a weight.
  template <typename Fn>
  int64_t Sum(const PlacedWindow& placed, int n, int oy, int ox, int first, int end,
              const Fn& weight) const {
    int64_t sum = 0;
    for (int t = 0; t < window.kernel_h * window.kernel_w; ++t) {
      const int y = oy * window.stride_h - placed.pad_top + t / window.kernel_w * window.dilation_h;
      const int xx =
          ox * window.stride_w - placed.pad_left + t % window.kernel_w * window.dilation_w;
      if (y < 0 || y >= input[1] || xx < 0 || xx >= input[2]) continue;
      const size_t pixel = (static_cast<size_t>(n) * input[1] + y) * input[2] + xx;
      for (int c = first; c < end; ++c) {
        sum += (x[pixel * input[3] + c] - zero_points[0]) * weight(c, t);
      }
    }
    return sum;
  }

  Window window;
  Shape input;
  int zero_points[2];
  QuantizedLimits limits;
  std::vector<int8_t> x, weights;
  std::vector<int32_t> bias;
  std::vector<float> scale;
};

// `make` gives the operator for kernels.
template <typename Make>
void ExpectOutputs(const Problem& p, const std::vector<int8_t>& want, const Make& make) {
  for (const Kernels* kernels : AvailableKernels()) {
    for (int threads : {1, 3}) {
      Network network;
      network.AddOp(make(*int8::KernelsOf(kernels->isa)), {0}, 1);
      network.SetInputs({0});
      network.SetOutputs({1});
      network.SetType(0, {ElementType::kInt8, {0.1f, p.zero_points[0]}});
      network.SetType(1, {ElementType::kInt8, {0.1f, p.zero_points[1]}});
      const Status status = network.Prepare({p.input}, *kernels, threads);
      ASSERT_TRUE(status.ok()) << status.message();
      std::vector<int8_t> y(ElementCount(network.output_shape(0)), 99);
      ASSERT_EQ(y.size(), want.size());
      ASSERT_TRUE(network.Run({p.x.data()}, {y.data()}).ok());
      ASSERT_EQ(y, want) << kernels->isa << ", " << threads << " threads";
    }
  }
}

std::shared_ptr<const Int8Weights> Packed(const Problem& p, const std::vector<int>& shape,
                                          const std::vector<int8_t>& values, const Int8Cost& cost,
                                          const int8::Kernels& kernels) {
  Constant filter;
  filter.shape = shape;
  filter.type = ElementType::kInt8;
  filter.values = values.data();
  filter.value_count = values.size();
  auto packed = std::make_shared<Int8Weights>();
  const Status status =
      Pack(filter, {p.bias, p.scale, p.zero_points[0] + kernels.input_offset}, cost, packed.get());
  EXPECT_TRUE(status.ok()) << status.message();
  return packed;
}

std::vector<int8_t> Convolved(const Problem& p, int outputs) {
  PlacedWindow placed;
  EXPECT_TRUE(Place(p.window, AsImages(p.input), &placed).ok());
  std::vector<int8_t> want;
  const int channels = p.input[3], taps = p.window.kernel_h * p.window.kernel_w;
  for (int n = 0; n < p.input[0]; ++n) {
    for (int i = 0; i < placed.out_h * placed.out_w; ++i) {
      for (int o = 0; o < outputs; ++o) {
        want.push_back(
            p.Finished(p.Sum(placed, n, i / placed.out_w, i % placed.out_w, 0, channels,
                             [&](int c, int t) {
                               return p.weights[(static_cast<size_t>(o) * taps + t) * channels + c];
                             }),
                       o));
      }
    }
  }
  return want;
}

TEST(Int8Convolution, AsTheReference) {
  Random random(1);
  for (int i = 0; i < kLayers; ++i) {
    Problem p(&random);
    const int outputs = random.Int(1, 13), taps = p.window.kernel_h * p.window.kernel_w;
    p.MakeWeights(outputs, static_cast<size_t>(outputs) * taps * p.input[3], &random);
    Int8Cost cost = {};
    (random.Chance(0.5) ? cost.blocks : cost.columns)[random.Int(0, 2)] = 1;
    ExpectOutputs(p, Convolved(p, outputs), [&](const int8::Kernels& kernels) {
      return std::make_unique<Int8Convolution>(
          Packed(p, {outputs, p.window.kernel_h, p.window.kernel_w, p.input[3]}, p.weights, cost,
                 kernels),
          p.window, p.limits);
    });
  }
}

TEST(Int8GatheredConvolution, AsTheReference) {
  Random random(2);
  for (int i = 0; i < kLayers; ++i) {
    Problem p(&random);
    p.input[3] = random.Int(1, 4);
    const int outputs = random.Int(1, 9), channels = p.input[3];
    const int inputs = p.window.kernel_h * p.window.kernel_w * channels;
    p.MakeWeights(outputs, static_cast<size_t>(outputs) * inputs, &random);
    const std::vector<int> order = GatherOrder(p.window.kernel_h, p.window.kernel_w, channels);
    std::vector<int8_t> reordered(p.weights.size());
    for (int o = 0; o < outputs; ++o) {
      for (int k = 0; k < inputs; ++k) {
        reordered[o * inputs + k] = p.weights[o * inputs + order[k]];
      }
    }
    ExpectOutputs(p, Convolved(p, outputs), [&](const int8::Kernels& kernels) {
      return std::make_unique<Int8GatheredConvolution>(
          Packed(p, {outputs, inputs}, reordered, {{0, 0, 1}, {}}, kernels), channels, p.window,
          p.limits);
    });
  }
}

TEST(Int8Depthwise, AsTheReference) {
  Random random(3);
  for (int i = 0; i < kLayers; ++i) {
    Problem p(&random);
    if (random.Chance(0.5)) {  // what has kernels of its own
      p.window.kernel_h = p.window.kernel_w = random.Pick<int>({3, 5});
      p.window.stride_w = p.window.stride_h;
      p.window.dilation_h = p.window.dilation_w = 1;
      p.window.same = true;
    }
    const int channels = p.input[3], taps = p.window.kernel_h * p.window.kernel_w;
    p.MakeWeights(channels, static_cast<size_t>(taps) * channels, &random);
    PlacedWindow placed;
    ASSERT_TRUE(Place(p.window, AsImages(p.input), &placed).ok());
    std::vector<int8_t> want;
    for (int n = 0; n < p.input[0]; ++n) {
      for (int k = 0; k < placed.out_h * placed.out_w; ++k) {
        for (int c = 0; c < channels; ++c) {
          want.push_back(p.Finished(
              p.Sum(placed, n, k / placed.out_w, k % placed.out_w, c, c + 1,
                    [&](int, int t) { return p.weights[static_cast<size_t>(t) * channels + c]; }),
              c));
        }
      }
    }
    ExpectOutputs(p, want, [&](const int8::Kernels&) {
      return std::make_unique<Int8Depthwise>(
          Int8DepthwiseWeights{channels, p.weights, p.bias, p.scale}, p.window, p.limits);
    });
  }
}

TEST(Int8FullyConnected, AsTheReference) {
  Random random(4);
  for (int i = 0; i < kLayers; ++i) {
    Problem p(&random);
    const int rows = random.Pick<int>({1, 1, 2, 40}), depth = random.Int(1, 70);
    const int outputs = random.Int(1, 30);
    p.input = {rows, depth};
    p.MakeWeights(outputs, static_cast<size_t>(outputs) * depth, &random);
    std::vector<int8_t> want;
    for (int r = 0; r < rows; ++r) {
      for (int o = 0; o < outputs; ++o) {
        int64_t sum = 0;
        for (int k = 0; k < depth; ++k) {
          sum += (p.x[r * depth + k] - p.zero_points[0]) * p.weights[o * depth + k];
        }
        want.push_back(p.Finished(sum, o));
      }
    }
    ExpectOutputs(p, want, [&](const int8::Kernels& kernels) {
      return std::make_unique<Int8FullyConnected>(
          Packed(p, {outputs, depth}, p.weights, kInt8VectorCost, kernels), false, p.limits);
    });
  }
}

}  // namespace
}  // namespace sbnn
