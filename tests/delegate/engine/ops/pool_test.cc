#include <algorithm>
#include <memory>
#include <vector>

#include "delegate/engine/ops/pad.h"
#include "delegate/engine/ops/pool.h"
#include "gtest/gtest.h"
#include "tests/delegate/engine/cases.h"

namespace sbnn {
namespace {

TEST(Pool, BehindPad) {
  Random random(23);
  const Array x = RandomArray({2, 9, 12, 5}, &random);
  for (bool average : {false, true}) {
    for (bool same : {false, true}) {
      for (const Margin& m : std::vector<Margin>{{1, 1, 1, 1}, {0, 2, 3, 0}}) {
        const auto pool = [&] {
          return std::make_unique<Pool>(average, MakeWindow(3, 2, same), -kInfinity, kInfinity);
        };
        Network alone, both;
        alone.AddOp(pool(), {0}, 1);
        alone.SetInputs({0});
        alone.SetOutputs({1});
        both.AddOp(std::make_unique<Pad>(m), {0}, 1);
        both.AddOp(pool(), {1}, 2);
        both.SetInputs({0});
        both.SetOutputs({2});
        const Kernels& last = *AvailableKernels().back();
        ExpectEverywhere(&both, {x}, RunNetwork(&alone, {ReferencePad(x, m)}, 1, last, 1));
        std::vector<std::vector<int>> steps;
        for (const Network::StepInfo& step : both.Steps()) steps.push_back(step.ops);
        const std::vector<std::vector<int>> apart = {{0}, {1}}, one = {{0, 1}};
        EXPECT_EQ(steps, average || same ? apart : one);
      }
    }
  }
}

TEST(Pool, Windows) {
  Random random(22);
  std::vector<WindowCase> cases = {
      {{1, 7, 7, 9}, 1, MakeWindow(7, 1, false)},    // one output pixel
      {{2, 1, 1, 5}, 1, MakeWindow(3, 2, true)},     // one pixel
      {{1, 112, 1, 20}, 1, MakeWindow(3, 1, true)},  // narrow
      {{1, 150, 30, 4}, 1, MakeWindow(3, 2, true)},
      {{2, 40, 36, 3}, 1, MakeWindow(40, 1, true)},    // windows of nearly all, on both sides
      {{1, 40, 40, 70}, 1, MakeWindow(40, 1, false)},  // of all
      {{1, 9, 11, 65}, 1, MakeWindow(11, 11, true)},
      {{1, 56, 63, 3}, 1, MakeWindow(8, 8, true)},
      {{1, 300, 300, 1}, 1, MakeWindow(7, 3, false)},  // more rows than a band
      {{1, 2, 300, 5}, 1, MakeWindow(2, 2, false)},
      {{2, 7, 7, 33},
       1,
       MakeWindow(2, 2, true)},  // small planes, whole vectors of channels and not
      {{1, 14, 14, 16}, 1, MakeWindow(3, 2, true)},
      {{1, 5, 6, 17}, 1, MakeWindow(9, 1, true)},    // windows that reach over both sides
      {{1, 32, 32, 17}, 1, MakeWindow(3, 1, true)},  // the largest of the small
      {{1, 41, 25, 17}, 1, MakeWindow(3, 1, true)},
  };
  for (int round = 0; round < kRounds / 3; ++round) {
    WindowCase c = RandomWindowCase({1, 3, 8}, {1}, &random);
    c.window.dilation_h = c.window.dilation_w = 1;
    c.window.margin = {};
    if (Fits(c.input, c.window)) cases.push_back(c);
  }
  for (const WindowCase& c : cases) {
    for (bool average : {false, true}) {
      SCOPED_TRACE(testing::Message() << c << (average ? " average" : " maximum"));
      const Window& w = c.window;
      const Limits limits = RandomLimits(&random);
      const Array x = RandomArray(c.input, &random);
      const int channels = c.input[3];
      const ReferenceAxis rows(c.input[1], w.kernel_h, w.stride_h, 1, w.same);
      const ReferenceAxis columns(c.input[2], w.kernel_w, w.stride_w, 1, w.same);
      Array want({c.input[0], rows.out, columns.out, channels});
      for (int n = 0; n < c.input[0]; ++n) {
        for (int i = 0; i < rows.out; ++i) {
          for (int j = 0; j < columns.out; ++j) {
            for (int k = 0; k < channels; ++k) {
              double total = 0, largest = -kInfinity;
              int covered = 0;
              for (int t = 0; t < w.kernel_h * w.kernel_w; ++t) {
                const int y = i * w.stride_h - rows.pad + t / w.kernel_w;
                const int z = j * w.stride_w - columns.pad + t % w.kernel_w;
                if (y < 0 || y >= c.input[1] || z < 0 || z >= c.input[2]) continue;
                const double v = x.At(n, y, z, k);
                total += v;
                largest = std::max(largest, v);
                ++covered;
              }
              want.At(n, i, j, k) =
                  ReferenceClamp(average ? total / covered : largest, limits.lo, limits.hi);
            }
          }
        }
      }
      Network network;
      network.AddOp(std::make_unique<Pool>(average, w, limits.lo, limits.hi), {0}, 1);
      network.SetInputs({0});
      network.SetOutputs({1});
      for (const Kernels* kernels : AvailableKernels()) {
        for (int threads : kThreads) {
          const Array found = RunNetwork(&network, {x}, 1, *kernels, threads)[0];
          ASSERT_EQ(found.shape, want.shape);
          for (size_t i = 0; i < want.data.size(); ++i) {
            ASSERT_NEAR(found.data[i], want.data[i], 1e-6) << i;  // 1 / 7 is not exact
          }
        }
      }
    }
  }
  EXPECT_NE(
      Refusal(std::make_unique<Pool>(true, MakeWindow(3, 1, false), 0.0f, 6.0f), {1, 1, 9, 1}), "");
  EXPECT_NE(Refusal(std::make_unique<Pool>(true, MakeWindow(3, 1, false), 0.0f, 6.0f), {9, 9}), "");
}

}  // namespace
}  // namespace sbnn
