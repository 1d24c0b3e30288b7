#include <memory>
#include <string>
#include <vector>

#include "delegate/engine/network.h"
#include "delegate/engine/ops/binary.h"
#include "delegate/engine/ops/convolution.h"
#include "gtest/gtest.h"
#include "tests/delegate/engine/cases.h"

namespace sbnn {
namespace {

// Squeeze-and-excitation: the gate multiplies weights where they are fewer than what it would
// multiply otherwise.
TEST(FoldGates, GateInsideAConvolution) {
  Random random(33);
  const Window one = MakeWindow(1, 1, true);
  const auto run = [&](const Shape& shape, const Shape& gate_shape, int outputs, int group,
                       const Window& window, Limits limits, bool added,
                       const std::vector<int>& read, const std::vector<std::string>& labels) {
    const Array x = RandomArray(shape, &random), gate = RandomArray(gate_shape, &random);
    Array gated = x;
    const size_t image = ElementCount(shape) / shape[0], channels = shape[3];
    for (size_t i = 0; i < gated.data.size(); ++i) {
      const size_t n = gate_shape[0] == 1 ? 0 : i / image;
      gated.data[i] = ReferenceClamp(gated.data[i] * gate.data[n * channels + i % channels],
                                     limits.lo, limits.hi);
    }
    const int taps = window.kernel_h * window.kernel_w;
    const auto filter = random.Filter(outputs, static_cast<size_t>(taps) * channels, 4, 0.5),
               bias = random.Floats(outputs);
    const float limit = added ? kInfinity : 40;  // nothing is added behind limits
    Array y = ReferenceConvolution(gated, filter, bias, window, -limit, limit);
    Array other = RandomArray(y.shape, &random);
    for (size_t i = 0; i < y.data.size() && added; ++i) y.data[i] += other.data[i];
    for (const std::vector<int>& factors : {std::vector<int>{0, 1}, std::vector<int>{1, 0}}) {
      SCOPED_TRACE(testing::Message()
                   << testing::PrintToString(shape) << " by " << testing::PrintToString(gate_shape)
                   << " to " << outputs << " in groups of " << group);
      Network network;
      network.AddOp(std::make_unique<Binary>(BinaryKind::kMul, limits.lo, limits.hi), factors, 3,
                    "gate");
      network.AddOp(std::make_unique<Convolution>(
                        PackAs(filter, {outputs, window.kernel_h, window.kernel_w, shape[3]}, bias,
                               group, true),
                        window, -limit, limit),
                    {3}, 4, "conv");
      if (added)
        network.AddOp(std::make_unique<Binary>(BinaryKind::kAdd, -kInfinity, kInfinity), {2, 4}, 5,
                      "add");
      network.SetInputs({0, 1, 2});
      network.SetOutputs(read);
      std::vector<Array> want;
      for (int t : read) want.push_back(t == 3 ? gated : y);
      ExpectEverywhere(&network, {x, gate, other}, want);
      EXPECT_EQ(Labels(network), labels);
    }
  };
  const Limits none = {-kInfinity, kInfinity};
  const std::vector<std::string> folded = {"gate + conv"}, both = {"gate", "conv"};
  for (int group : kGroupSizes) {
    for (const Shape& shape :
         {Shape{1, 7, 7, 9}, Shape{3, 5, 6, 16}, Shape{1, 16, 16, 24}, Shape{1, 7, 7, 70}}) {
      const Shape gate = {shape[0], 1, 1, shape[3]};
      run(shape, gate, 12, group, one, none, false, {4}, folded);
      run(shape, gate, 12, group, one, none, true, {5}, {"gate + conv + add"});
      run(shape, gate, 12, group, one, none, false, {4, 3}, both);
    }
  }
  // Weights of more columns than a task takes.
  run({1, 40, 40, 600}, {1, 1, 1, 600}, 24, 1, one, none, false, {4}, folded);
  run({1, 3, 3, 40}, {1, 1, 1, 40}, 96, 4, one, none, false, {4}, both);
  run({1, 7, 7, 9}, {1, 1, 1, 9}, 12, kUnstructured, one, none, false, {4}, both);
  run({1, 7, 7, 9}, {1, 1, 1, 9}, 4, 4, MakeWindow(3, 1, true), none, false, {4}, both);
  run({1, 7, 7, 9}, {1, 1, 1, 9}, 12, 4, one, {0, kInfinity}, false, {4}, both);
  run({2, 7, 7, 9}, {1, 1, 1, 9}, 12, 4, one, none, false, {4}, both);
}

}  // namespace
}  // namespace sbnn
