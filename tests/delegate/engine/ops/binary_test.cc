#include <memory>
#include <vector>

#include "delegate/engine/ops/binary.h"
#include "gtest/gtest.h"
#include "tests/delegate/engine/cases.h"

namespace sbnn {
namespace {

TEST(Binary, Broadcasts) {
  Random random(23);
  const struct {
    Shape a, b;
  } cases[] = {
      {{2, 5, 7, 3}, {2, 5, 7, 3}},
      {{2, 5, 7, 3}, {2, 1, 1, 3}},
      {{2, 5, 7, 3}, {1, 1, 1, 3}},
      {{2, 5, 7, 3}, {2, 5, 7, 1}},
      {{2, 5, 7, 3}, {1, 5, 7, 3}},
      {{2, 5, 7, 3}, {1, 1, 1, 1}},
      {{2, 5, 7, 3}, {2, 1, 1, 1}},
      {{2, 5, 7, 3}, {1, 5, 7, 1}},
      {{2, 1, 1, 9}, {1, 1, 1, 9}},
      {{2, 1, 1, 9}, {2, 1, 1, 1}},
      {{3, 8}, {3, 8}},
      {{3, 8}, {1, 8}},
      {{3, 8}, {3, 1}},
      {{3, 8}, {1, 1}},
      {{2, 3, 4}, {2, 3, 4}},
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
      ExpectEverywhere(&network, swapped ? std::vector<Array>{b, a} : std::vector<Array>{a, b},
                       {want});
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
      ExpectEverywhere(&network, swapped ? std::vector<Array>{y, x} : std::vector<Array>{x, y},
                       {want});
      ExpectEverywhere(std::make_unique<Binary>(BinaryKind::kSub, -5.0f, 6.0f, y.data, b, swapped),
                       x, want);
      if (HasFatalFailure()) return;
    }
  }
}

TEST(Binary, Constants) {
  Random random(24);
  for (const Shape& shape :
       std::vector<Shape>{{2, 5, 7, 3}, {2, 1, 1, 9}, {3, 8}, {6}, {2, 3, 4}}) {
    for (bool one : {false, true}) {
      for (bool first : {false, true}) {
        const Array x = RandomArray(shape, &random);
        const std::vector<float> constant = random.Floats(one ? 1 : shape.back());
        Array want = x;
        for (size_t i = 0; i < x.data.size(); ++i) {
          const float c = constant[i % constant.size()];
          want.data[i] = ReferenceClamp(first ? c - x.data[i] : x.data[i] - c, -5, 6);
        }
        ExpectEverywhere(std::make_unique<Binary>(BinaryKind::kSub, -5.0f, 6.0f, constant,
                                                  Shape{static_cast<int>(constant.size())}, first),
                         x, want);
      }
    }
  }
  EXPECT_NE(Refusal(std::make_unique<Binary>(BinaryKind::kAdd, 0.0f, 6.0f, std::vector<float>(2),
                                             Shape{2}, false),
                    {1, 4, 4, 3}),
            "");
}

}  // namespace
}  // namespace sbnn
