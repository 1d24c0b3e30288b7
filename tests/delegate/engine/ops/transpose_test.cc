#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "delegate/engine/network.h"
#include "delegate/engine/ops/clamp.h"
#include "delegate/engine/ops/reshape.h"
#include "delegate/engine/ops/transpose.h"
#include "gtest/gtest.h"
#include "tests/delegate/engine/elements.h"
#include "tests/delegate/random.h"
#include "tests/delegate/running.h"

namespace sbnn {
namespace {

TEST(Transpose, AnyOrder) {
  Random random(1);
  std::vector<Shape> shapes = kShapes;
  shapes.push_back({1, 70, 60, 40});
  for (const Shape& shape : shapes) {
    std::vector<int> order;
    for (size_t d = 0; d < shape.size(); ++d) order.push_back(static_cast<int>(d));
    const Array x = RandomArray(shape, &random);
    do {
      SCOPED_TRACE(testing::PrintToString(shape) + testing::PrintToString(order));
      if (shape[0] * ElementCount(shape) > 100000 && order[0] > 1) continue;
      Shape to;
      for (int d : order) to.push_back(shape[d]);
      ExpectEverywhere(std::make_unique<Transpose>(order), x, Make(to, [&](const Index& at) {
                         Index from(at.size());
                         for (size_t d = 0; d < at.size(); ++d) from[order[d]] = at[d];
                         return At(x, from);
                       }));
      if (HasFatalFailure()) return;
    } while (shape.size() < 5 && std::next_permutation(order.begin(), order.end()));
  }
  EXPECT_NE(Refusal(std::make_unique<Transpose>(Index{0, 1, 1, 2}), {1, 2, 3, 4}), "");
  EXPECT_NE(Refusal(std::make_unique<Transpose>(Index{0, 1, 2, 4}), {1, 2, 3, 4}), "");
  EXPECT_NE(Refusal(std::make_unique<Transpose>(Index{0, 1, 2}), {1, 2, 3, 4}), "");
}

// Attention parts its inputs in heads by RESHAPE and TRANSPOSE, and joins them again.
TEST(Transpose, ReadsAndWritesWhatIsReshaped) {
  Random random(2);
  const int rows = 21, heads = 3, width = 5;
  const Shape joined = {2, rows, heads * width}, parted = {2, rows, heads, width};
  const Array x = RandomArray(joined, &random);
  const Array y = Make({2, heads, rows, width}, [&](const Index& at) {
    return At(x, {at[0], at[2], at[1] * width + at[3]});
  });
  const auto make = [&](bool parts, const std::vector<int>& outputs) {
    auto network = std::make_unique<Network>();
    if (parts) {
      network->AddOp(std::make_unique<Reshape>(parted), {0}, 1, "reshape");
      network->AddOp(std::make_unique<Transpose>(Index{0, 2, 1, 3}), {1}, 2, "transpose");
    } else {
      network->AddOp(std::make_unique<Transpose>(Index{0, 2, 1, 3}), {0}, 1, "transpose");
      network->AddOp(std::make_unique<Reshape>(joined), {1}, 2, "reshape");
    }
    network->SetInputs({0});
    network->SetOutputs(outputs);
    return network;
  };
  using Names = std::vector<std::string>;
  const auto parting = make(true, {2}), joining = make(false, {2});
  ExpectEverywhere(parting.get(), {x}, {y});
  EXPECT_EQ(Labels(*parting), Names{"reshape + transpose"});
  ExpectEverywhere(joining.get(), {y}, {x});
  EXPECT_EQ(Labels(*joining), Names{"transpose + reshape"});
  // What others read is made.
  const auto both = make(true, {1, 2});
  ExpectEverywhere(both.get(), {x}, {Array(parted, x.data), y});
  EXPECT_EQ(Labels(*both), (Names{"reshape", "transpose"}));
}

// Panels have no strides that another shape could be read by.
TEST(Transpose, PanelsAreReshapedBeforehand) {
  Random random(3);
  Network network;
  network.AddOp(std::make_unique<Clamp>(-3.0f, 3.0f), {0}, 1, "clamp");
  network.AddOp(std::make_unique<Reshape>(Shape{2, 35, 6}), {1}, 2, "reshape");
  network.AddOp(std::make_unique<Transpose>(Index{1, 0, 2}), {2}, 3, "transpose");
  network.SetInputs({0});
  network.SetOutputs({3});
  const Array x = RandomArray({2, 5, 7, 6}, &random);
  ExpectEverywhere(&network, {x}, {Make({35, 2, 6}, [&](const Index& at) {
    const float v = At(x, {at[1], at[0] / 7, at[0] % 7, at[2]});
    return ReferenceClamp(v, -3.0f, 3.0f);
  })});
  EXPECT_EQ(Labels(network), (std::vector<std::string>{"clamp", "reshape", "transpose"}));
}

}  // namespace
}  // namespace sbnn
