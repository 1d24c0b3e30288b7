#include <algorithm>
#include <memory>
#include <sstream>
#include <vector>

#include "delegate/engine/ops/transpose_convolution.h"
#include "gtest/gtest.h"
#include "tests/delegate/engine/cases.h"

namespace sbnn {
namespace {

TEST(TransposeConvolution, Random) {
  Random random(31);
  for (int round = 0; round < kRounds; ++round) {
    Window w;
    w.kernel_h = random.Int(1, 7);
    w.kernel_w = random.Chance(0.6) ? w.kernel_h : random.Int(1, 7);
    w.stride_h = random.Int(1, 4);
    w.stride_w = random.Chance(0.7) ? w.stride_h : random.Int(1, 4);
    w.same = random.Chance(0.5);
    const int inputs = random.Pick<int>({1, 3, 8, 17}),
              outputs = random.Pick<int>({1, 3, 8, 9, 21});
    const Array x = RandomArray(
        {random.Pick<int>({1, 1, 3}), random.Int(1, 12), random.Int(1, 20), inputs}, &random);
    // All sizes are possible, whether or not a convolution leads back from them.
    const auto size = [&](int in, int kernel, int stride) {
      return std::max(1, (in - 1) * stride + (w.same ? 1 : kernel) + random.Int(-2, stride));
    };
    const Shape out = {x.shape[0], size(x.shape[1], w.kernel_h, w.stride_h),
                       size(x.shape[2], w.kernel_w, w.stride_w), outputs};
    std::ostringstream said;
    PrintWindow(w, &said);
    SCOPED_TRACE(testing::PrintToString(x.shape) + " to " + testing::PrintToString(out) +
                 said.str());
    const Shape shape = {outputs, w.kernel_h, w.kernel_w, inputs};
    const std::vector<float> filter =
        random.Filter(outputs, ElementCount(shape) / outputs, random.Pick<int>({1, 4, 8}), 0.5);
    const std::vector<float> bias = random.Floats(outputs);
    const auto packed = PackAs(filter, shape, bias, RandomGroup(&random), random.Chance(0.5));
    const Limits limits = RandomLimits(&random);
    ExpectEverywhere(std::make_unique<TransposeConvolution>(*packed, w, out, limits.lo, limits.hi),
                     x,
                     ReferenceTransposeConvolution(x, filter, bias, w, out, limits.lo, limits.hi));
    if (HasFatalFailure()) return;
  }
}

TEST(TransposeConvolution, Refuses) {
  Random random(32);
  const auto convolution = [&] {
    return std::make_unique<TransposeConvolution>(
        *PackAs(random.Floats(4 * 9 * 3), {4, 3, 3, 3}, random.Floats(4), 4, false),
        MakeWindow(3, 2, true), Shape{1, 6, 8, 4}, -kInfinity, kInfinity);
  };
  EXPECT_EQ(Refusal(convolution(), {1, 3, 4, 3}), "");
  EXPECT_NE(Refusal(convolution(), {1, 3, 4, 4}), "") << "channels";
  EXPECT_NE(Refusal(convolution(), {2, 3, 4, 3}), "") << "batch";
  EXPECT_NE(Refusal(convolution(), {3, 4, 3}), "") << "rank";
}

}  // namespace
}  // namespace sbnn
