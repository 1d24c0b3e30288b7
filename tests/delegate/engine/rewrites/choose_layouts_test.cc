#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "delegate/engine/ops/int8/lookup.h"
#include "delegate/engine/ops/int8/softmax.h"
#include "gtest/gtest.h"
#include "tests/delegate/engine/int8.h"
#include "tests/delegate/running.h"

namespace sbnn {
namespace {

std::unique_ptr<Op> Same() {
  return std::make_unique<Lookup>(
      [](const Quantization& in, const Quantization& out) { return RequantizeTable(in, out); });
}

// A chain of these; how many conversions it gets, and that it leaves what it is given.
int Conversions(std::vector<std::unique_ptr<Op>> ops) {
  Network network;
  network.SetType(0, Int8Type(0.5f, 1));
  int last = 0;
  for (std::unique_ptr<Op>& op : ops) {
    network.SetType(last + 1, Int8Type(0.5f, 1));
    network.AddOp(std::move(op), {last}, last + 1, "op");
    ++last;
  }
  network.SetInputs({0});
  network.SetOutputs({last});
  Random random(3);
  const Int8Array x = RandomInt8({2, 5, 3, 6}, &random);
  EXPECT_EQ(RunInt8(&network, {x}, *AvailableKernels().front(), 1).data, x.data);
  const std::vector<std::string> labels = Labels(network);
  return static_cast<int>(std::count(labels.begin(), labels.end(), "conversion"));
}

template <typename... Ops>
int ConversionsOf(Ops... op) {
  std::vector<std::unique_ptr<Op>> ops;
  (ops.push_back(std::move(op)), ...);
  return Conversions(std::move(ops));
}

std::unique_ptr<Op> In(Layout layout) { return std::make_unique<Only>(layout); }

TEST(ChooseLayouts, NeighboursThatWantTheSameGetIt) {
  EXPECT_EQ(ConversionsOf(In(Layout::kQuads), In(Layout::kQuads)), 0);
  EXPECT_EQ(ConversionsOf(In(Layout::kPanel), In(Layout::kPanel)), 0);
}

TEST(ChooseLayouts, WhatTakesAnyLayoutPassesItOn) {
  EXPECT_EQ(ConversionsOf(In(Layout::kQuads), Same(), Same(), In(Layout::kQuads)), 0);
}

TEST(ChooseLayouts, OneConversionBetweenThoseThatWantOthers) {
  EXPECT_EQ(ConversionsOf(In(Layout::kQuads), In(Layout::kPanel)), 1);
  EXPECT_EQ(ConversionsOf(In(Layout::kQuads), Same(), In(Layout::kPanel)), 1);
  EXPECT_EQ(ConversionsOf(In(Layout::kFlat), In(Layout::kQuads), In(Layout::kFlat)), 2);
}

TEST(ChooseLayouts, TheOutsideIsFlat) { EXPECT_EQ(ConversionsOf(Same(), Same()), 0); }

}  // namespace
}  // namespace sbnn
