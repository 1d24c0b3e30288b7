#include <memory>
#include <vector>

#include "delegate/engine/ops/concatenation.h"
#include "gtest/gtest.h"
#include "tests/delegate/engine/elements.h"
#include "tests/delegate/random.h"
#include "tests/delegate/reference.h"
#include "tests/delegate/running.h"

namespace sbnn {
namespace {

TEST(Concatenation, Channels) {
  Random random(25);
  for (const std::vector<Shape>& shapes :
       std::vector<std::vector<Shape>>{{{2, 5, 7, 3}, {2, 5, 7, 1}, {2, 5, 7, 9}},
                                       {{2, 1, 1, 3}, {2, 1, 1, 5}},
                                       {{3, 4}, {3, 1}},
                                       {{2, 3, 4}, {2, 3, 2}},
                                       {{5}, {2}},
                                       {{1, 16, 16, 8}}}) {
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

TEST(Concatenation, EveryDimension) {
  Random random(3);
  for (const Shape& shape : kShapes) {
    for (size_t axis = 0; axis < shape.size(); ++axis) {
      std::vector<Array> parts;
      Shape whole = shape;
      whole[axis] = 0;
      for (int extra : {0, 2, 1}) {
        Shape part = shape;
        part[axis] += extra;
        whole[axis] += part[axis];
        parts.push_back(RandomArray(part, &random));
      }
      Network network;
      network.AddOp(std::make_unique<Concatenation>(static_cast<int>(axis)), {0, 1, 2}, 3);
      network.SetInputs({0, 1, 2});
      network.SetOutputs({3});
      ExpectEverywhere(&network, parts, {Make(whole, [&](Index at) {
        size_t i = 0;
        for (; at[axis] >= parts[i].shape[axis]; ++i) at[axis] -= parts[i].shape[axis];
        return At(parts[i], at);
      })});
      if (HasFatalFailure()) return;
    }
  }
}

}  // namespace
}  // namespace sbnn
