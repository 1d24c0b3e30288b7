#include <algorithm>
#include <memory>
#include <vector>

#include "delegate/engine/network.h"
#include "delegate/engine/ops/binary.h"
#include "delegate/engine/ops/clamp.h"
#include "delegate/engine/ops/convolution.h"
#include "delegate/engine/ops/pool.h"
#include "gtest/gtest.h"
#include "tests/delegate/engine/cases.h"
#include "tests/delegate/engine/layers.h"

namespace sbnn {
namespace {

TEST(Network, ResizedAgainAndAgain) {
  Layers layers(13);
  BuildSmallNetwork(&layers);
  for (const Shape& shape : std::vector<Shape>{{1, 16, 16, 3},
                                               {4, 33, 47, 3},
                                               {1, 5, 5, 3},
                                               {2, 40, 8, 3},
                                               {1, 100, 120, 3},
                                               {3, 16, 16, 3},
                                               {1, 16, 16, 3}}) {
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

// The first layer of few channels gathers its pixels from the caller's memory; not if another
// reader wants panels.
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
  network.AddOp(
      std::make_unique<Convolution>(PackAs(filter, {8, 3, 3, 8}, bias, 4, true), same, 0, 6), {0},
      1);
  network.AddOp(std::make_unique<Binary>(BinaryKind::kAdd, 0.0f, 6.0f), {1, 0}, 2);
  network.AddOp(std::make_unique<Pool>(false, MakeWindow(5, 1, false), -kInfinity, kInfinity), {2},
                3);
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

}  // namespace
}  // namespace sbnn
