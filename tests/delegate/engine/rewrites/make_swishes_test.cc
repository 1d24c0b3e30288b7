#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "delegate/engine/network.h"
#include "delegate/engine/ops/activation.h"
#include "delegate/engine/ops/binary.h"
#include "delegate/engine/ops/clamp.h"
#include "gtest/gtest.h"
#include "tests/delegate/engine/cases.h"

namespace sbnn {
namespace {

// x -> logistic(x) -> x * logistic(x) is one operator, if nobody else reads what is between.
TEST(MakeSwishes, LogisticAndProductAreSwish) {
  Random random(32);
  const auto run = [&](const std::vector<int>& factors, Limits limits,
                       const std::vector<int>& outputs, const std::vector<std::string>& labels) {
    Network network;
    network.AddOp(std::make_unique<Clamp>(-3.0f, 3.0f), {0}, 1, "x");
    network.AddOp(std::make_unique<Activation>(UnaryKind::kLogistic), {1}, 2, "gate");
    network.AddOp(std::make_unique<Binary>(BinaryKind::kMul, limits.lo, limits.hi), factors, 3,
                  "mul");
    network.SetInputs({0});
    network.SetOutputs(outputs);
    const Array x = RandomArray({1, 5, 7, 3}, &random);
    for (const Kernels* kernels : AvailableKernels()) {
      const std::vector<Array> found = RunNetwork(&network, {x}, outputs.size(), *kernels, 1);
      for (size_t i = 0; i < x.data.size(); ++i) {
        double values[4] = {x.data[i], std::min(3.0f, std::max(-3.0f, x.data[i])), 0, 0};
        values[2] = 1 / (1 + std::exp(-values[1]));
        values[3] = ReferenceClamp(values[factors[0]] * values[factors[1]], limits.lo, limits.hi);
        for (size_t o = 0; o < outputs.size(); ++o) {
          ASSERT_NEAR(found[o].data[i], values[outputs[o]], 2e-6) << kernels->isa;
        }
      }
      EXPECT_EQ(Labels(network), labels);
    }
  };
  const Limits none = {-kInfinity, kInfinity};
  const std::vector<std::string> all = {"x", "gate", "mul"};
  run({1, 2}, none, {3}, {"x", "gate + mul"});
  run({2, 1}, none, {3}, {"x", "gate + mul"});
  run({2, 1}, none, {3, 1}, {"x", "gate + mul"});
  run({2, 1}, {0, kInfinity}, {3}, all);
  run({2, 1}, {-kInfinity, 1}, {3}, all);
  run({2, 1}, none, {3, 2}, all);
  run({2, 2}, none, {3}, all);
  run({2, 0}, none, {3}, all);
}

}  // namespace
}  // namespace sbnn
