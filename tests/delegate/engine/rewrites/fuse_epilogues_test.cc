#include <memory>
#include <string>
#include <vector>

#include "delegate/engine/network.h"
#include "delegate/engine/ops/activation.h"
#include "delegate/engine/ops/binary.h"
#include "delegate/engine/ops/clamp.h"
#include "delegate/engine/ops/convolution.h"
#include "delegate/engine/ops/depthwise.h"
#include "gtest/gtest.h"
#include "tests/delegate/engine/cases.h"

namespace sbnn {
namespace {

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
    network_.AddOp(std::make_unique<Binary>(BinaryKind::kAdd, c.add.lo, c.add.hi), {2, 1}, 3,
                   "add");
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
      values[3].data[i] =
          ReferenceClamp(values[3].data[i] + added.data[from], case_.add.lo, case_.add.hi);
    }
    values[4] = values[3];
    for (float& v : values[4].data) v = ReferenceClamp(v, case_.last.lo, case_.last.hi);
    std::vector<Array> want;
    for (int t : outputs) want.push_back(values[t]);
    ExpectEverywhere(&network_, {x, added}, want);
    EXPECT_EQ(Labels(network_), labels);
  }

 private:
  const Case case_;
  Random random_{28};
  std::vector<float> filter_, bias_ = random_.Floats(8);
  Network network_;
};

TEST(FuseEpilogues, ResidualInsideAConvolution) {
  const Limits none = {-kInfinity, kInfinity}, relu = {0, kInfinity};
  const std::vector<std::string> all = {"conv + add + clamp"};
  for (const Window& window :
       {MakeWindow(1, 1, true), MakeWindow(3, 1, true), MakeWindow(3, 2, true)}) {
    Residual r({5, window, none, relu, {-1, 6}});
    const auto result = [&](int h, int w) {
      return Shape{1, (h + window.stride_h - 1) / window.stride_h,
                   (w + window.stride_w - 1) / window.stride_w, 8};
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
                                              -kInfinity, kInfinity),
                {0}, 1);
  network.AddOp(std::make_unique<Binary>(BinaryKind::kAdd, 0.0f, 6.0f), {1, 0}, 2);
  network.SetInputs({0});
  network.SetOutputs({2});
  const Array x = RandomArray({2, 9, 11, 3}, &random);
  Array want = ReferenceConvolution(x, filter, bias, same, -kInfinity, kInfinity);
  for (size_t i = 0; i < want.data.size(); ++i)
    want.data[i] = ReferenceClamp(want.data[i] + x.data[i], 0, 6);
  ExpectEverywhere(&network, {x}, {want});
}

// Activations behind what they are applied to, in one step. (LEAKY_RELU of small integers is
// exact.)
TEST(FuseEpilogues, ActivationInsideItsMaker) {
  Random random(30);
  const auto leaky = [](Array a) {
    for (float& v : a.data) v = v < 0 ? 0.25f * v : v;
    return a;
  };
  for (const Window& window :
       {MakeWindow(1, 1, true), MakeWindow(3, 1, true), MakeWindow(3, 2, true),
        MakeWindow(5, 1, true), MakeWindow(3, 1, true, 2)}) {
    for (const Shape& shape :
         {Shape{2, 1, 1, 8}, Shape{2, 7, 7, 8}, Shape{1, 16, 32, 8}, Shape{1, 70, 61, 8}}) {
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
      const Array made[] = {ReferenceConvolution(x, filter, bias, window, -9, 9),
                            ReferenceDepthwise(x, weights->taps, 2, weights->bias, window, -9, 9),
                            ReferenceDepthwise(x, single->taps, 1, single->bias, window, -9, 9)};
      for (int i = 0; i < 3; ++i) {
        SCOPED_TRACE(testing::Message() << "maker " << i << " of " << testing::PrintToString(shape)
                                        << ", " << window.kernel_h << " x " << window.kernel_w);
        Network network;
        network.AddOp(std::move(makers[i]), {0}, 1, "make");
        network.AddOp(std::make_unique<Activation>(UnaryKind::kLeakyRelu, 0.25f), {1}, 2, "apply");
        network.SetInputs({0});
        network.SetOutputs({2});
        ExpectEverywhere(&network, {x}, {leaky(made[i])});
        EXPECT_EQ(Labels(network), std::vector<std::string>({"make + apply"}));
        network.SetOutputs({1, 2});  // both are read: nothing to save
        ExpectEverywhere(&network, {x}, {made[i], leaky(made[i])});
        EXPECT_EQ(Labels(network), std::vector<std::string>({"make", "apply"}));
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
  const Array y =
      ReferenceConvolution(x, filter, bias, MakeWindow(1, 1, true), -kInfinity, kInfinity);
  Network limited;
  limited.AddOp(convolve(), {0}, 1, "conv");
  limited.AddOp(std::make_unique<Activation>(UnaryKind::kLeakyRelu, 0.25f), {1}, 2, "apply");
  limited.AddOp(std::make_unique<Clamp>(-1.0f, 1.0f), {2}, 3, "clamp");
  limited.SetInputs({0});
  limited.SetOutputs({3});
  Array want = leaky(y);
  for (float& v : want.data) v = ReferenceClamp(v, -1, 1);
  ExpectEverywhere(&limited, {x}, {want});
  EXPECT_EQ(Labels(limited), std::vector<std::string>({"conv + apply", "clamp"}));
  Network added;
  added.AddOp(convolve(), {0}, 1, "conv");
  added.AddOp(std::make_unique<Binary>(BinaryKind::kAdd, -kInfinity, kInfinity), {1, 0}, 2, "add");
  added.AddOp(std::make_unique<Activation>(UnaryKind::kLeakyRelu, 0.25f), {2}, 3, "apply");
  added.SetInputs({0});
  added.SetOutputs({3});
  want = y;
  for (size_t i = 0; i < want.data.size(); ++i) want.data[i] += x.data[i];
  ExpectEverywhere(&added, {x}, {leaky(want)});
  EXPECT_EQ(Labels(added), std::vector<std::string>({"conv + add", "apply"}));
}

}  // namespace
}  // namespace sbnn
