// What takes images of int8 in any layout gives the same in all of them. (That it is right is shown
// against TensorFlow Lite, which has one.)
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "delegate/engine/ops/concatenation.h"
#include "delegate/engine/ops/int8/binary.h"
#include "delegate/engine/ops/int8/lookup.h"
#include "delegate/engine/ops/int8/mean.h"
#include "delegate/engine/ops/int8/pool.h"
#include "delegate/engine/ops/pad.h"
#include "gtest/gtest.h"
#include "tests/delegate/engine/int8.h"
#include "tests/delegate/running.h"

namespace sbnn {
namespace {

using MakeOp = std::function<std::unique_ptr<Op>(Random*)>;

// The operator between others that want this layout of its first input and of its output.
Int8Array RunBetween(std::unique_ptr<Op> op, const std::vector<Int8Array>& inputs, Layout layout,
                     const Kernels& kernels, int threads) {
  constexpr int kWanted = 10, kMade = 11, kOutput = 12;
  Network network;
  std::vector<int> tensors, read;
  for (int i = 0; i < static_cast<int>(inputs.size()); ++i) {
    network.SetType(i, Int8Type(0.1f, 3));
    tensors.push_back(i);
    read.push_back(i == 0 ? kWanted : i);
  }
  network.SetType(kWanted, Int8Type(0.1f, 3));
  for (int t : {kMade, kOutput}) network.SetType(t, Int8Type(0.12f, -7));
  network.AddOp(std::make_unique<Only>(layout), {0}, kWanted);
  network.AddOp(std::move(op), read, kMade);
  network.AddOp(std::make_unique<Only>(layout), {kMade}, kOutput);
  network.SetInputs(tensors);
  network.SetOutputs({kOutput});
  return RunInt8(&network, inputs, kernels, threads);
}

void ExpectSameEverywhere(const MakeOp& make, const std::function<Shape(const Shape&)>& second) {
  Random random(71);
  for (int round = 0; round < 20; ++round) {
    const Shape shape = {random.Int(1, 2), random.Int(1, 9), random.Int(2, 9),
                         random.Pick<int>({1, 3, 4, 6, 8, 17})};
    std::vector<Int8Array> inputs = {RandomInt8(shape, &random)};
    if (second) inputs.push_back(RandomInt8(second(shape), &random));
    const unsigned seed = random.Int(0, 1 << 20);
    const auto op = [&] {
      Random same(seed);
      return make(&same);
    };
    const Int8Array want = RunBetween(op(), inputs, Layout::kFlat, *AvailableKernels().back(), 1);
    for (const Kernels* kernels : AvailableKernels()) {
      for (Layout layout : {Layout::kFlat, Layout::kPanel, Layout::kQuads}) {
        const Int8Array found =
            RunBetween(op(), inputs, layout, *kernels, random.Pick<int>({1, 2}));
        ASSERT_EQ(found.shape, want.shape);
        ASSERT_EQ(found.data, want.data) << kernels->isa << ", layout " << static_cast<int>(layout);
      }
    }
  }
}

TEST(Int8Layouts, Lookup) {
  ExpectSameEverywhere(
      [](Random*) {
        return std::make_unique<Lookup>([](const Quantization& in, const Quantization& out) {
          return FunctionTable(UnaryKind::kHardSwish, 0, in, out);
        });
      },
      nullptr);
}

MakeOp MakeBinary() {
  return [](Random* random) {
    const BinaryKind kind =
        random->Pick<BinaryKind>({BinaryKind::kAdd, BinaryKind::kSub, BinaryKind::kMul});
    return std::make_unique<Int8Binary>(kind, -kInfinity, kInfinity);
  };
}

TEST(Int8Layouts, Sums) {
  ExpectSameEverywhere(MakeBinary(), [](const Shape& shape) { return shape; });
}

TEST(Int8Layouts, GatesOfChannels) {
  ExpectSameEverywhere(MakeBinary(),
                       [](const Shape& shape) { return Shape{shape[0], 1, 1, shape[3]}; });
}

TEST(Int8Layouts, ScalarsAndPixels) {
  ExpectSameEverywhere(MakeBinary(), [](const Shape&) { return Shape{1}; });
  ExpectSameEverywhere(MakeBinary(),
                       [](const Shape& shape) { return Shape{1, shape[1], shape[2], 1}; });
}

TEST(Int8Layouts, Pools) {
  for (bool average : {false, true}) {
    ExpectSameEverywhere(
        [average](Random* random) {
          Window window;
          window.kernel_h = random->Int(1, 3);
          window.kernel_w = random->Int(1, 3);
          window.stride_h = random->Int(1, 2);
          window.stride_w = random->Int(1, 2);
          window.same = true;
          return std::make_unique<Int8Pool>(average, window, -kInfinity, kInfinity, false);
        },
        nullptr);
  }
}

TEST(Int8Layouts, Means) {
  ExpectSameEverywhere(
      [](Random* random) {
        const std::vector<int> axes =
            random->Chance(0.6) ? std::vector<int>{1, 2} : std::vector<int>{random->Int(1, 3)};
        return std::make_unique<Int8Mean>(axes, true, false);
      },
      nullptr);
}

TEST(Int8Layouts, WhatMovesElements) {
  ExpectSameEverywhere(
      [](Random* random) {
        return std::make_unique<Pad>(
            Padding{{0, random->Int(0, 2), 1, random->Int(0, 1)}, {0, 1, random->Int(0, 2), 0}});
      },
      nullptr);
  ExpectSameEverywhere(
      [](Random* random) { return std::make_unique<Concatenation>(random->Int(0, 3)); },
      [](const Shape& shape) { return shape; });
}

}  // namespace
}  // namespace sbnn
