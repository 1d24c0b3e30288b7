// What a network does with the types of its tensors.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "delegate/engine/ops/clamp.h"
#include "delegate/engine/ops/int8/lookup.h"
#include "delegate/engine/ops/reshape.h"
#include "gtest/gtest.h"
#include "tests/delegate/running.h"

namespace sbnn {
namespace {

TEST(Types, ViewsOfAnotherTypeAreRefused) {
  Network network;
  network.AddOp(std::make_unique<Reshape>(Shape{6}), {0}, 1);
  for (int t : {0, 1}) network.SetType(t, {ElementType::kInt8, {0.5f, 3}});
  network.SetInputs({0});
  network.SetOutputs({1});
  std::vector<int8_t> x = {1, 2, 3, 4, 5, 6}, y(6);
  EXPECT_FALSE(network.Run({x.data()}, {y.data()}).ok()) << "not prepared";
  ASSERT_TRUE(network.Prepare({{2, 3}}, *AvailableKernels().front(), 1).ok());
  ASSERT_TRUE(network.Run({x.data()}, {y.data()}).ok());
  EXPECT_EQ(y, x);
  std::vector<float> floats(6);
  EXPECT_EQ(network.Run({floats.data()}, {y.data()}).message(),
            "input 0: expected int8, found float32");
  EXPECT_EQ(network.Run({x.data()}, {floats.data()}).message(),
            "output 0: expected int8, found float32");
  EXPECT_EQ(network.Run({}, {y.data()}).message(),
            "expected 1 inputs and 1 outputs, found 0 and 1");
}

TEST(Types, AnOperatorOfFloatsRefusesInt8) {
  Network network;
  network.AddOp(std::make_unique<Clamp>(0.0f, 1.0f), {0}, 1);
  network.SetType(0, {ElementType::kInt8, {0.5f, 3}});
  network.SetInputs({0});
  network.SetOutputs({1});
  EXPECT_FALSE(network.Prepare({{2, 3}}, *AvailableKernels().front(), 1).ok());
}

// Flat tensors, and images, which have another layout inside.
TEST(Types, Uint8GoesInAndOut) {
  for (const Shape& shape : {Shape{1, 7}, Shape{2, 3, 5, 6}}) {
    for (const Kernels* kernels : AvailableKernels()) {
      Network network;
      network.AddOp(std::make_unique<Lookup>([](const Quantization& in, const Quantization& out) {
                      return ClampTable(0, kInfinity, in, out);
                    }),
                    {0}, 1);
      for (int t : {0, 1}) network.SetType(t, {ElementType::kUint8, {0.25f, 131}});
      network.SetInputs({0});
      network.SetOutputs({1});
      ASSERT_TRUE(network.Prepare({shape}, *kernels, 1).ok());
      std::vector<uint8_t> x(ElementCount(shape)), y(x.size()), want;
      for (size_t i = 0; i < x.size(); ++i) {
        x[i] = static_cast<uint8_t>(37 * i);
        want.push_back(std::max<uint8_t>(x[i], 131));
      }
      const std::vector<uint8_t> before = x;
      ASSERT_TRUE(network.Run({x.data()}, {y.data()}).ok());
      EXPECT_EQ(y, want);
      EXPECT_EQ(x, before) << "an input was changed";
    }
  }
}

}  // namespace
}  // namespace sbnn
