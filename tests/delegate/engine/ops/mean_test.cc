#include <algorithm>
#include <memory>
#include <vector>

#include "delegate/engine/ops/mean.h"
#include "gtest/gtest.h"
#include "tests/delegate/random.h"
#include "tests/delegate/reference.h"
#include "tests/delegate/running.h"

namespace sbnn {
namespace {

TEST(Mean, OverHeightAndWidth) {
  Random random(8);
  for (const Shape& shape :
       std::vector<Shape>{{1, 7, 7, 70}, {3, 4, 5, 3}, {2, 1, 1, 9}, {2, 16, 32, 130}}) {
    Array x = RandomArray(shape, &random);
    for (bool keep_dims : {false, true}) {
      Network network;
      network.AddOp(std::make_unique<Mean>(std::vector<int>{1, 2}, keep_dims), {0}, 1);
      network.SetInputs({0});
      network.SetOutputs({1});
      const Array want = ReferenceMean(x, keep_dims);
      for (const Kernels* kernels : AvailableKernels()) {
        for (int threads : {1, 2}) {
          const Array found = RunNetwork(&network, {x}, 1, *kernels, threads)[0];
          ASSERT_EQ(found.shape, want.shape);
          for (size_t i = 0; i < want.data.size(); ++i)
            EXPECT_NEAR(found.data[i], want.data[i], 1e-6);
        }
      }
    }
  }
  EXPECT_NE(Refusal(std::make_unique<Mean>(std::vector<int>{1, 2}, true), {3, 4}), "");
}

TEST(Mean, OverAnyDimensions) {
  Random random(29);
  const struct {
    Shape shape;
    std::vector<int> axes;
  } cases[] = {{{2, 5, 7, 3}, {3}},  {{2, 5, 7, 3}, {0, 2}},    {{2, 5, 7, 3}, {1, 2, 3}},
               {{2, 5, 7, 3}, {}},   {{2, 1, 1, 9}, {1, 2}},    {{2, 1, 1, 9}, {3}},
               {{3, 8}, {0}},        {{2, 3, 4, 5, 2}, {1, 3}}, {{2, 3, 4}, {2}},
               {{2, 3, 40}, {1, 2}}, {{2, 3, 4}, {0, 2}},       {{7, 33}, {1}}};
  for (const auto& c : cases) {
    const Array x = RandomArray(c.shape, &random);
    Shape kept = c.shape, dropped;
    for (int axis : c.axes) kept[axis] = 1;
    for (size_t d = 0; d < c.shape.size(); ++d) {
      if (std::find(c.axes.begin(), c.axes.end(), static_cast<int>(d)) == c.axes.end()) {
        dropped.push_back(c.shape[d]);
      }
    }
    std::vector<double> sums(ElementCount(kept), 0.0);
    Array places(kept);  // each element's own number
    for (size_t i = 0; i < sums.size(); ++i) places.data[i] = static_cast<float>(i);
    for (size_t i = 0; i < x.data.size(); ++i) {
      sums[static_cast<size_t>(Spread(places, c.shape, i))] += x.data[i];
    }
    const double count = static_cast<double>(x.data.size()) / static_cast<double>(sums.size());
    for (bool keep_dims : {false, true}) {
      Network network;
      network.AddOp(std::make_unique<Mean>(c.axes, keep_dims), {0}, 1);
      network.SetInputs({0});
      network.SetOutputs({1});
      for (const Kernels* kernels : AvailableKernels()) {
        const Array found = RunNetwork(&network, {x}, 1, *kernels, 2)[0];
        ASSERT_EQ(found.shape, keep_dims ? kept : dropped);
        for (size_t i = 0; i < sums.size(); ++i) EXPECT_NEAR(found.data[i], sums[i] / count, 1e-6);
      }
    }
  }
  EXPECT_NE(Refusal(std::make_unique<Mean>(std::vector<int>{4}, true), {1, 2, 3, 4}), "");
  EXPECT_NE(Refusal(std::make_unique<Mean>(std::vector<int>{0}, false), {4}), "");
}

}  // namespace
}  // namespace sbnn
