#include <memory>
#include <vector>

#include "delegate/engine/ops/convolution.h"
#include "delegate/engine/ops/depthwise.h"
#include "gtest/gtest.h"
#include "tests/delegate/engine/cases.h"

namespace sbnn {
namespace {

// A NaN reaches the outputs that read it, and no other.
TEST(NotANumber, StaysWhereItBelongs) {
  Random random(6);
  for (int round = 0; round < 40; ++round) {
    const int channels = random.Pick<int>({2, 3, 8}), outputs = random.Pick<int>({1, 9});
    const Shape input = {2, random.Int(1, 9), random.Int(1, 20), channels};
    Window w = MakeWindow(random.Pick<int>({1, 3}), random.Int(1, 2), true);
    Array x = RandomArray(input, &random);
    x.data[random.Int(0, static_cast<int>(x.data.size()) - 1)] = kNaN;
    const WindowCase traced = {input, outputs, w};
    SCOPED_TRACE(traced);
    const Limits limits = RandomLimits(&random);
    // Weights that are all kept: of a pruned one it is not said whether it meets the NaN.
    const Shape shape = {outputs, w.kernel_h, w.kernel_w, channels};
    const std::vector<float> filter = random.Filter(outputs, ElementCount(shape) / outputs, 1, 1.0);
    const std::vector<float> bias = random.Floats(outputs);
    ExpectEverywhere(
        std::make_unique<Convolution>(PackAs(filter, shape, bias, RandomKind(&random), false), w,
                                      limits.lo, limits.hi),
        x, ReferenceConvolution(x, filter, bias, w, limits.lo, limits.hi));
    if (HasFatalFailure()) return;
    auto weights = std::make_shared<DepthwiseWeights>();
    weights->channels = channels;
    weights->taps = random.Filter(channels, w.kernel_h * w.kernel_w, 1, 1.0);
    weights->bias = random.Floats(channels);
    ExpectEverywhere(
        std::make_unique<Depthwise>(weights, w, limits.lo, limits.hi), x,
        ReferenceDepthwise(x, weights->taps, 1, weights->bias, w, limits.lo, limits.hi));
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace sbnn
