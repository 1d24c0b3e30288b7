#include "delegate/format/quantization.h"

#include <cmath>
#include <limits>

#include "gtest/gtest.h"

namespace sbnn {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

TEST(Quantization, ScalesThatAreNoneAreRefused) {
  for (float scale : {0.0f, -0.5f, kInfinity, std::nanf(""), 1e-40f, 1e-19f, 1e19f}) {
    EXPECT_FALSE(Validate(Quantization{scale, 0}, ElementType::kInt8).ok()) << scale;
  }
  EXPECT_TRUE(Validate(Quantization{1e-17f, 0}, ElementType::kInt8).ok());
}

TEST(Quantization, ZeroPointsAreNumbersOfTheType) {
  const auto good = [](int zero_point, ElementType type) {
    return Validate(Quantization{1, zero_point}, type).ok();
  };
  EXPECT_TRUE(good(-128, ElementType::kInt8) && good(127, ElementType::kInt8));
  EXPECT_FALSE(good(-129, ElementType::kInt8) || good(128, ElementType::kInt8));
  EXPECT_TRUE(good(0, ElementType::kUint8) && good(255, ElementType::kUint8));
  EXPECT_FALSE(good(-1, ElementType::kUint8) || good(256, ElementType::kUint8));
  EXPECT_TRUE(good(0, ElementType::kInt32));
  EXPECT_FALSE(good(1, ElementType::kInt32));
}

TEST(Quantization, AScaleForEachSliceOrOneForAll) {
  const auto good = [](std::vector<float> scales, size_t zero_points, int axis) {
    return Validate(ChannelQuantization{std::move(scales), std::vector<int>(zero_points), axis},
                    ElementType::kInt8, {2, 3})
        .ok();
  };
  EXPECT_TRUE(good({1, 2}, 2, 0) && good({1, 2, 3}, 3, 1) && good({1}, 1, 0));
  EXPECT_FALSE(good({1, 2}, 2, 1)) << "two scales for three slices";
  EXPECT_FALSE(good({1, 2}, 1, 0)) << "a zero point less";
  EXPECT_FALSE(good({1, 2}, 2, 2) || good({1, 2}, 2, -1)) << "no such axis";
  EXPECT_FALSE(good({1, 0}, 2, 0)) << "the second one is nonsense";
}

TEST(Quantization, Uint8IsInt8WithAnotherZeroPoint) {
  EXPECT_EQ(Inside({ElementType::kUint8, {0.5f, 128}}),
            (TensorType{ElementType::kInt8, {0.5f, 0}}));
  EXPECT_EQ(Inside({ElementType::kInt8, {0.5f, 3}}), (TensorType{ElementType::kInt8, {0.5f, 3}}));
}

TEST(Quantization, LimitsInNumbers) {
  const auto limits = [](float lo, float hi, Quantization q) {
    const QuantizedLimits found = Quantize(lo, hi, q);
    return std::pair<int, int>(found.lo, found.hi);
  };
  EXPECT_EQ(limits(-kInfinity, kInfinity, {0.1f, 5}), std::make_pair(-128, 127));
  EXPECT_EQ(limits(0, kInfinity, {0.1f, 5}), std::make_pair(5, 127));
  EXPECT_EQ(limits(0, 6, {0.1f, -128}), std::make_pair(-128, -68));
  EXPECT_EQ(limits(-1, 1, {0.001f, 0}), std::make_pair(-128, 127));
}

}  // namespace
}  // namespace sbnn
