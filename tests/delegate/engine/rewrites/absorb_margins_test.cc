#include <vector>

#include "gtest/gtest.h"
#include "tests/delegate/engine/layers.h"

namespace sbnn {
namespace {

TEST(AbsorbMargins, PadWithSeveralReadersOrAsOutput) {
  Layers two(16);
  const int pad = two.Padded(0, {1, 0, 2, 1});
  const int a = two.Convolve(pad, 3, 4, MakeWindow(3, 1, false));
  const int b = two.DepthwiseConvolve(pad, 3, MakeWindow(3, 1, false));
  two.Outputs({a, b});
  two.Expect({2, 7, 9, 3});
  Layers seen(17);
  const int p = seen.Padded(0, {1, 0, 2, 1});
  const int c = seen.Convolve(p, 3, 4, MakeWindow(3, 1, false));
  seen.Outputs({c, p});
  seen.Expect({2, 7, 9, 3});
}

TEST(AbsorbMargins, PadUponPad) {
  Layers layers(18);
  int t = layers.Padded(0, {1, 2, 0, 1});
  t = layers.Padded(t, {0, 1, 3, 0});
  t = layers.DepthwiseConvolve(t, 3, MakeWindow(3, 2, true));  // SAME counts the margin as image
  t = layers.Padded(t, {0, 0, 1, 1});
  t = layers.Convolve(t, 3, 6, MakeWindow(1, 1, false));
  layers.Outputs({t});
  layers.Expect({1, 9, 8, 3});
  layers.Expect({2, 1, 1, 3});
}

}  // namespace
}  // namespace sbnn
