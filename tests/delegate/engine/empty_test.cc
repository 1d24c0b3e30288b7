// Tensors without elements, on every instruction set: as inputs, as outputs, and between others.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "delegate/engine/network.h"
#include "delegate/engine/ops/binary.h"
#include "delegate/engine/ops/clamp.h"
#include "delegate/engine/ops/concatenation.h"
#include "delegate/engine/ops/convolution.h"
#include "delegate/engine/ops/depth_to_space.h"
#include "delegate/engine/ops/depthwise.h"
#include "delegate/engine/ops/fully_connected.h"
#include "delegate/engine/ops/mean.h"
#include "delegate/engine/ops/pad.h"
#include "delegate/engine/ops/pool.h"
#include "delegate/engine/ops/reshape.h"
#include "delegate/engine/ops/resize.h"
#include "delegate/engine/ops/softmax.h"
#include "delegate/engine/ops/split.h"
#include "delegate/engine/ops/stack.h"
#include "delegate/engine/ops/strided_slice.h"
#include "delegate/engine/ops/transpose.h"
#include "delegate/engine/ops/transpose_convolution.h"
#include "gtest/gtest.h"
#include "tests/delegate/engine/cases.h"
#include "tests/delegate/random.h"
#include "tests/delegate/reference.h"
#include "tests/delegate/running.h"

namespace sbnn {
namespace {

constexpr int kChannels = 4;

// Windows of 3 x 3 over 4 channels.
struct Filter {
  std::vector<float> values, bias;
  Window window;

  Filter(int outputs, bool same, Random* random)
      : values(random->Floats(outputs * 9 * kChannels)),
        bias(random->Floats(outputs)),
        window(MakeWindow(3, 1, same)) {}

  std::shared_ptr<const PackedWeights> Packed(const Shape& shape) const {
    return PackAs(values, shape, bias, 4, false);
  }
  int outputs() const { return static_cast<int>(bias.size()); }
  std::unique_ptr<Op> Convolve() const {
    return std::make_unique<Convolution>(Packed({outputs(), 3, 3, kChannels}), window, -kInfinity,
                                         kInfinity);
  }
  std::unique_ptr<Op> Multiply() const {
    return std::make_unique<FullyConnected>(Packed({outputs(), 9 * kChannels}), false, -kInfinity,
                                            kInfinity);
  }
  std::unique_ptr<Op> ConvolveDepthwise() const {
    auto weights = std::make_shared<DepthwiseWeights>();
    weights->channels = kChannels;
    weights->taps.assign(values.begin(), values.begin() + 9 * kChannels);
    weights->bias.assign(bias.begin(), bias.begin() + kChannels);
    return std::make_unique<Depthwise>(std::move(weights), window, -kInfinity, kInfinity);
  }
};

std::unique_ptr<Op> MakePool(bool average, const Window& window) {
  return std::make_unique<Pool>(average, window, -kInfinity, kInfinity);
}

const std::vector<Shape> kEmptyImages = {{0, 5, 7, 4}, {2, 0, 7, 4}, {2, 5, 0, 4}, {2, 0, 0, 4}};

TEST(Empty, NothingComesOfNothing) {
  Random random(1);
  const Filter filter(6, true, &random);
  const auto moves = [&] {
    std::vector<std::unique_ptr<Op>> ops;
    ops.push_back(std::make_unique<Clamp>(0.0f, 6.0f));
    ops.push_back(std::make_unique<Softmax>(1.0f));
    ops.push_back(std::make_unique<Binary>(BinaryKind::kAdd, 0.0f, 1.0f,
                                           std::vector<float>{1, 2, 3, 4}, Shape{4}, false));
    ops.push_back(filter.Convolve());
    ops.push_back(filter.ConvolveDepthwise());
    ops.push_back(MakePool(true, filter.window));
    ops.push_back(std::make_unique<DepthToSpace>(2));
    ops.push_back(std::make_unique<Transpose>(std::vector<int>{3, 1, 0, 2}));
    ops.push_back(std::make_unique<Split>(3, 2, 1));
    ops.push_back(std::make_unique<ExpandDims>(0));
    ops.push_back(std::make_unique<Reshape>(Shape{-1, 5}));
    ops.push_back(std::make_unique<Reshape>(Shape{0, 3}));
    ops.push_back(std::make_unique<Stack>(1));
    return ops;
  };
  for (const Shape& shape : kEmptyImages) {
    for (auto& op : moves()) {
      Shape output;
      const Status status = op->InferShape({shape}, &output);
      ASSERT_TRUE(status.ok()) << status.message();
      ASSERT_EQ(ElementCount(output), 0u);
      ExpectEverywhere(std::move(op), Array(shape), Array(output));
    }
  }
  ExpectEverywhere(filter.Multiply(), Array(Shape{0, 36}), Array(Shape{0, 6}));
  ExpectEverywhere(std::make_unique<SpaceToDepth>(2), Array(Shape{1, 2, 2, 0}),
                   Array(Shape{1, 1, 1, 0}));
  ExpectEverywhere(std::make_unique<DepthToSpace>(2), Array(Shape{1, 2, 2, 0}),
                   Array(Shape{1, 4, 4, 0}));
}

TEST(Empty, AWindowALittleLargerThanTheImage) {
  Random random(2);
  const Filter filter(6, false, &random);
  ExpectEverywhere(filter.Convolve(), RandomArray({2, 2, 9, 4}, &random), Array(Shape{2, 0, 7, 6}));
  ExpectEverywhere(filter.ConvolveDepthwise(), RandomArray({2, 9, 2, 4}, &random),
                   Array(Shape{2, 7, 0, 4}));
  ExpectEverywhere(MakePool(false, filter.window), RandomArray({2, 2, 2, 4}, &random),
                   Array(Shape{2, 0, 0, 4}));
  Window far = filter.window;
  far.stride_h = far.stride_w = 2;
  ExpectEverywhere(MakePool(true, far), RandomArray({1, 1, 5, 4}, &random),
                   Array(Shape{1, 0, 2, 4}));
  EXPECT_NE(Refusal(filter.Convolve(), {2, 1, 9, 4}), "") << "of less than no size";
}

TEST(Empty, PadMakesSomethingOfIt) {
  for (const float value : {0.0f, 2.5f}) {
    for (const Shape& shape : kEmptyImages) {
      const Padding padding = {{1, 1, 0, 0}, {0, 2, 3, 1}};
      Shape padded;
      ASSERT_TRUE(padding.InferShape(shape, &padded).ok());
      Array want(padded);
      for (float& v : want.data) v = value;
      ExpectEverywhere(std::make_unique<Pad>(padding, value), Array(shape), want);
    }
    ExpectEverywhere(std::make_unique<Pad>(Padding{{2}, {1}}, value), Array(Shape{0}),
                     Array({3}, {value, value, value}));
  }
}

// The operator behind a PAD takes its zeros over.
TEST(Empty, WindowsOfNothingButMargin) {
  Random random(3);
  const Margin margin = {2, 2, 3, 1};
  for (const Shape& shape : {Shape{2, 0, 7, 4}, Shape{2, 5, 0, 4}, Shape{2, 0, 0, 4}}) {
    for (const bool same : {false, true}) {
      const Filter filter(6, same, &random);
      const std::vector<float> taps(filter.values.begin(), filter.values.begin() + 36);
      const std::vector<float> bias(filter.bias.begin(), filter.bias.begin() + 4);
      const Array x = ReferencePad(Array(shape), margin);
      std::vector<std::pair<std::unique_ptr<Op>, Array>> cases;
      cases.emplace_back(filter.Convolve(),
                         ReferenceConvolution(x, filter.values, filter.bias, filter.window,
                                              -kInfinity, kInfinity));
      cases.emplace_back(
          filter.ConvolveDepthwise(),
          ReferenceDepthwise(x, taps, 1, bias, filter.window, -kInfinity, kInfinity));
      cases.emplace_back(MakePool(false, filter.window), Array(cases[1].second.shape));
      for (auto& [op, want] : cases) {
        Network network;
        network.AddOp(std::make_unique<Pad>(margin), {0}, 1);
        network.AddOp(std::move(op), {1}, 2);
        network.SetInputs({0});
        network.SetOutputs({2});
        ExpectEverywhere(&network, {Array(shape)}, {want});
      }
    }
  }
}

TEST(Empty, ATransposedConvolutionOfNoPixels) {
  Random random(4);
  Filter filter(6, true, &random);
  filter.window.stride_h = filter.window.stride_w = 2;
  const auto packed = filter.Packed({6, 3, 3, kChannels});
  for (const Shape& shape : {Shape{1, 0, 4, 4}, Shape{1, 3, 0, 4}}) {
    const Array x(shape);
    const Shape output = {1, 6, 8, 6};
    ExpectEverywhere(std::make_unique<TransposeConvolution>(*packed, filter.window, output,
                                                            -kInfinity, kInfinity),
                     x,
                     ReferenceTransposeConvolution(x, filter.values, filter.bias, filter.window,
                                                   output, -kInfinity, kInfinity));
  }
}

TEST(Empty, AMeanOfNothingIsNoNumber) {
  for (const auto& [axes, shape] : std::vector<std::pair<std::vector<int>, Shape>>{
           {{1, 2}, {2, 0, 7, 4}}, {{1, 2}, {2, 5, 0, 4}}, {{1}, {3, 0}}, {{3}, {2, 5, 7, 0}}}) {
    const Mean mean(axes, true);
    Shape output;
    ASSERT_TRUE(mean.InferShape({shape}, &output).ok());
    Array want(output);
    ASSERT_FALSE(want.data.empty());
    for (float& v : want.data) v = kNaN;
    ExpectEverywhere(std::make_unique<Mean>(axes, true), Array(shape), want);
  }
  ExpectEverywhere(std::make_unique<Mean>(std::vector<int>{2}, false), Array(Shape{2, 0, 7, 4}),
                   Array(Shape{2, 0, 4}));
}

TEST(Empty, ConcatenatedWithOthers) {
  Random random(5);
  for (const auto& [shape, axis] : std::vector<std::pair<Shape, int>>{{{2, 5, 7, 4}, 1},
                                                                      {{2, 5, 7, 4}, 3},
                                                                      {{2, 5, 7, 4}, 0},
                                                                      {{2, 1, 1, 4}, 1},
                                                                      {{3, 8}, 1},
                                                                      {{6}, 0}}) {
    Shape none = shape;
    none[axis] = 0;
    const Array x = RandomArray(shape, &random);
    for (const std::vector<int>& order :
         {std::vector<int>{0, 1}, std::vector<int>{1, 0}, std::vector<int>{0, 1, 0}}) {
      Network network;
      network.AddOp(std::make_unique<Concatenation>(axis), order, 2);
      network.SetInputs({0, 1});
      network.SetOutputs({2});
      ExpectEverywhere(&network, {Array(none), x}, {x});
    }
  }
}

TEST(Empty, ImagesWithoutPixelsHaveNoSize) {
  EXPECT_NE(Refusal(std::make_unique<Resize>(true, false, false, 4, 4), {1, 0, 3, 4}), "");
  EXPECT_NE(Refusal(std::make_unique<Resize>(false, false, false, 4, 4), {1, 3, 0, 4}), "");
  EXPECT_EQ(Refusal(std::make_unique<Resize>(false, false, false, 4, 4), {0, 3, 3, 4}), "");
  EXPECT_NE(Refusal(std::make_unique<Reshape>(Shape{0, -1}), {0, 3}), "");
  EXPECT_NE(Refusal(std::make_unique<Reshape>(Shape{0, 3}), {1, 3}), "");
}

// A part of an image that may be nothing, activated, behind and before the rest of it, and given
// itself; then images that are larger, or nothing altogether.
TEST(Empty, BetweenOthersAndAsOneOutputOfTwo) {
  Random random(6);
  Network network;
  network.AddOp(std::make_unique<StridedSlice>(Slice{{0, 3}, {0, 6}, {1, 1}, 1, 1}), {0}, 1);
  network.AddOp(std::make_unique<Clamp>(-0.5f, 0.5f), {1}, 2);
  network.AddOp(std::make_unique<Concatenation>(1), {2, 0, 2}, 3);
  network.SetInputs({0});
  network.SetOutputs({2, 3});
  for (const int height : {2, 5, 3, 0, 9}) {
    const Array x = RandomArray({2, height, 4, 3}, &random);
    const int rows = std::max(0, std::min(height, 6) - 3);
    Array part({2, rows, 4, 3}), all({2, height + 2 * rows, 4, 3});
    for (int n = 0; n < 2; ++n) {
      for (int y = 0; y < all.shape[1]; ++y) {
        const bool inside = y >= rows && y < rows + height;
        const int row = inside ? y - rows : 3 + (y < rows ? y : y - rows - height);
        for (int i = 0; i < 12; ++i) {
          const float v = x.At(n, row, i / 3, i % 3);
          all.At(n, y, i / 3, i % 3) = inside ? v : ReferenceClamp(v, -0.5f, 0.5f);
          if (y < rows) part.At(n, y, i / 3, i % 3) = all.At(n, y, i / 3, i % 3);
        }
      }
    }
    ExpectEverywhere(&network, {x}, {part, all});
  }
}

}  // namespace
}  // namespace sbnn
