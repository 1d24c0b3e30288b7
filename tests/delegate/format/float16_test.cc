#include <cmath>
#include <cstdint>
#include <limits>

#include "delegate/format/float16.h"
#include "gtest/gtest.h"

namespace sbnn {
namespace {

TEST(Float16ToFloat, EveryNumber) {
  for (int bits = 0; bits < 65536; ++bits) {
    const int exponent = (bits >> 10) & 31, mantissa = bits & 1023;
    const float found = Float16ToFloat(static_cast<uint16_t>(bits));
    EXPECT_EQ(std::signbit(found), bits >= 32768) << bits;
    if (exponent == 31 && mantissa != 0) {
      EXPECT_TRUE(std::isnan(found)) << bits;
      continue;
    }
    double size =
        exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1024 + mantissa, exponent - 25);
    if (exponent == 31) size = std::numeric_limits<double>::infinity();
    EXPECT_EQ(std::fabs(found), size) << bits;
  }
}

// Each number is the nearest to all floats between the middles to its neighbours; a middle goes to
// the even one.
TEST(FloatToFloat16, TheNearestOfAll) {
  for (uint32_t bits = 0; bits < 0x7c00; ++bits) {
    const float value = Float16ToFloat(static_cast<uint16_t>(bits));
    const float next = bits == 0x7bff ? 65536.0f : Float16ToFloat(static_cast<uint16_t>(bits + 1));
    const float middle = (value + next) / 2;
    const uint32_t even = bits % 2 == 0 ? bits : bits + 1;
    for (uint32_t sign : {0u, 0x8000u}) {
      const auto to_float16 = [&](float v) { return uint32_t{FloatToFloat16(sign == 0 ? v : -v)}; };
      ASSERT_EQ(to_float16(value), bits | sign);
      ASSERT_EQ(to_float16(std::nextafter(middle, 0.0f)), bits | sign);
      ASSERT_EQ(to_float16(middle), even | sign);
      ASSERT_EQ(to_float16(std::nextafter(middle, next)), (bits + 1) | sign);
    }
  }
}

TEST(FloatToFloat16, WhatIsNoNumber) {
  const float infinity = std::numeric_limits<float>::infinity();
  for (float large : {65536.0f, 1e30f, infinity}) {
    EXPECT_EQ(FloatToFloat16(large), 0x7c00);
    EXPECT_EQ(FloatToFloat16(-large), 0xfc00);
  }
  EXPECT_TRUE(std::isnan(Float16ToFloat(FloatToFloat16(std::numeric_limits<float>::quiet_NaN()))));
  EXPECT_TRUE(
      std::isnan(Float16ToFloat(FloatToFloat16(std::numeric_limits<float>::signaling_NaN()))));
}

}  // namespace
}  // namespace sbnn
