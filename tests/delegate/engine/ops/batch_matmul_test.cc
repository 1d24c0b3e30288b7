#include "delegate/engine/ops/batch_matmul.h"

#include <memory>
#include <vector>

#include "delegate/engine/network.h"
#include "delegate/engine/ops/clamp.h"
#include "gtest/gtest.h"
#include "tests/delegate/engine/products.h"
#include "tests/delegate/running.h"

namespace sbnn {
namespace {

struct Case {
  Shape a, b;
};

// Below, at and above a tile and a group; ranks; leading dimensions that one factor lacks.
const std::vector<Case> kCases = {
    {{3, 4}, {4, 5}},
    {{1, 7}, {7, 33}},
    {{33, 7}, {7, 1}},
    {{16, 8}, {8, 8}},
    {{50, 1}, {1, 9}},
    {{2, 25, 6}, {2, 6, 17}},
    {{2, 3, 49, 8}, {2, 3, 8, 50}},
    {{1, 3, 5, 4}, {2, 3, 4, 6}},
    {{2, 1, 5, 4}, {1, 3, 4, 6}},
    {{5, 4}, {2, 3, 4, 6}},
    {{2, 2, 1, 3, 1, 4}, {2, 1, 4, 2}},
    {{1, 1, 1, 6}, {1, 1, 6, 1}},
};

void ExpectProduct(Network* network, const std::vector<Array>& inputs, const Array& want) {
  network->SetOutputs({9});
  std::vector<int> tensors;
  for (size_t i = 0; i < inputs.size(); ++i) tensors.push_back(static_cast<int>(i));
  network->SetInputs(tensors);
  for (const Kernels* kernels : AvailableKernels()) {
    for (int threads : kThreads) {
      const Array found = RunNetwork(network, inputs, 1, *kernels, threads)[0];
      ASSERT_EQ(found.shape, want.shape);
      for (size_t i = 0; i < want.data.size(); ++i) {
        ASSERT_NEAR(found.data[i], want.data[i], 1e-5) << kernels->isa << " element " << i;
      }
    }
  }
}

TEST(BatchMatMul, IsTheProduct) {
  Random random(3);
  for (const Case& c : kCases) {
    for (int flags = 0; flags < 4; ++flags) {
      const bool ta = flags & 1, tb = flags & 2;
      SCOPED_TRACE(testing::PrintToString(c.a) + testing::PrintToString(c.b) +
                   std::to_string(flags));
      const Array a = RandomArray(c.a, &random), b = RandomArray(c.b, &random);
      const Array want = ReferenceProduct(a, b), x = Exchanged(a, ta), y = Exchanged(b, tb);
      Network both, left, right;
      both.AddOp(std::make_unique<BatchMatMul>(ta, tb), {0, 1}, 9);
      ExpectProduct(&both, {x, y}, want);
      left.AddOp(std::make_unique<BatchMatMul>(ta, tb, x.data, x.shape, true), {0}, 9);
      ExpectProduct(&left, {y}, want);
      right.AddOp(std::make_unique<BatchMatMul>(ta, tb, y.data, y.shape, false), {0}, 9);
      ExpectProduct(&right, {x}, want);
      // What stands around it makes and wants panels, where there are some.
      Network between;
      for (int t : {0, 1}) between.AddOp(std::make_unique<Clamp>(-99.0f, 99.0f), {t}, t + 4);
      between.AddOp(std::make_unique<BatchMatMul>(ta, tb), {4, 5}, 6);
      between.AddOp(std::make_unique<Clamp>(-1e6f, 1e6f), {6}, 9);
      ExpectProduct(&between, {x, y}, want);
      if (HasFatalFailure()) return;
    }
  }
}

// One tensor may be both factors.
TEST(BatchMatMul, Squares) {
  Random random(4);
  const Array x = RandomArray({2, 19, 19}, &random);
  Network network;
  network.AddOp(std::make_unique<BatchMatMul>(false, true), {0, 0}, 9);
  ExpectProduct(&network, {x}, ReferenceProduct(x, Exchanged(x, true)));
}

TEST(BatchMatMul, RefusesWhatDoesNotMatch) {
  const auto refusal = [](const Shape& a, const Shape& b) {
    Shape shape;
    return BatchMatMul(false, false).InferShape({a, b}, &shape).message();
  };
  EXPECT_EQ(refusal({2, 3}, {4, 5}), "rows of 3 meet columns of 4");
  EXPECT_EQ(refusal({2, 2, 3}, {3, 3, 5}), "shapes do not match");
  EXPECT_EQ(refusal({3}, {3, 5}), "shapes do not match");
}

}  // namespace
}  // namespace sbnn
