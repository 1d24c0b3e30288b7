#include <cmath>
#include <cstdint>
#include <limits>

#include "delegate/format/half.h"
#include "gtest/gtest.h"

namespace sbnn {
namespace {

TEST(HalfToFloat, EveryHalf) {
  for (int half = 0; half < 65536; ++half) {
    const int exponent = (half >> 10) & 31, mantissa = half & 1023;
    const float found = HalfToFloat(static_cast<uint16_t>(half));
    EXPECT_EQ(std::signbit(found), half >= 32768) << half;
    if (exponent == 31 && mantissa != 0) {
      EXPECT_TRUE(std::isnan(found)) << half;
      continue;
    }
    double size =
        exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1024 + mantissa, exponent - 25);
    if (exponent == 31) size = std::numeric_limits<double>::infinity();
    EXPECT_EQ(std::fabs(found), size) << half;
  }
}

// Each half is the nearest to all floats between the middles to its neighbours; a middle goes to
// the even one.
TEST(FloatToHalf, TheNearestOfAllHalves) {
  for (uint32_t half = 0; half < 0x7c00; ++half) {
    const float value = HalfToFloat(static_cast<uint16_t>(half));
    const float next = half == 0x7bff ? 65536.0f : HalfToFloat(static_cast<uint16_t>(half + 1));
    const float middle = (value + next) / 2;
    const uint32_t even = half % 2 == 0 ? half : half + 1;
    for (uint32_t sign : {0u, 0x8000u}) {
      const auto to_half = [&](float v) { return uint32_t{FloatToHalf(sign == 0 ? v : -v)}; };
      ASSERT_EQ(to_half(value), half | sign);
      ASSERT_EQ(to_half(std::nextafter(middle, 0.0f)), half | sign);
      ASSERT_EQ(to_half(middle), even | sign);
      ASSERT_EQ(to_half(std::nextafter(middle, next)), (half + 1) | sign);
    }
  }
}

TEST(FloatToHalf, WhatIsNoNumber) {
  const float infinity = std::numeric_limits<float>::infinity();
  for (float large : {65536.0f, 1e30f, infinity}) {
    EXPECT_EQ(FloatToHalf(large), 0x7c00);
    EXPECT_EQ(FloatToHalf(-large), 0xfc00);
  }
  EXPECT_TRUE(std::isnan(HalfToFloat(FloatToHalf(std::numeric_limits<float>::quiet_NaN()))));
  EXPECT_TRUE(std::isnan(HalfToFloat(FloatToHalf(std::numeric_limits<float>::signaling_NaN()))));
}

}  // namespace
}  // namespace sbnn
