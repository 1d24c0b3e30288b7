#include "delegate/engine/fixed_point.h"

#include <cmath>
#include <cstdint>
#include <limits>

#include "gtest/gtest.h"
#include "tests/delegate/random.h"

namespace sbnn {
namespace {

TEST(FixedPoint, ProductsAreRoundedToTheNearest) {
  Random random(5);
  for (int round = 0; round < 2000; ++round) {
    const double real = random.Int(1, 1 << 20) / 65536.0 * (random.Chance(0.5) ? 1 : -1);
    const int x = random.Int(-40000, 40000);
    // (Twice, first at 31 bits: a quarter more where the power of two is a half.)
    EXPECT_NEAR(Multiply(x, ToFixedPoint(real)), x * real, 0.76) << x << " * " << real;
  }
}

TEST(FixedPoint, HalvesGoAwayFromZero) {
  EXPECT_EQ(Multiply(1, ToFixedPoint(0.5)), 1);
  EXPECT_EQ(Multiply(3, ToFixedPoint(0.5)), 2);
  EXPECT_EQ(DivideByPowerOfTwo(3, 1), 2);
  EXPECT_EQ(DivideByPowerOfTwo(-3, 1), -2);
  EXPECT_EQ(DivideByPowerOfTwo(-5, 2), -1);
}

TEST(FixedPoint, HalvesGoUp) {
  EXPECT_EQ(Multiply(-1, ToFixedPoint(0.25), Halves::kUp), 0);
  EXPECT_EQ(Multiply(-3, ToFixedPoint(0.25), Halves::kUp), 0);  // by way of -1
  EXPECT_EQ(DivideByPowerOfTwo(3, 1, Halves::kUp), 2);
  EXPECT_EQ(DivideByPowerOfTwo(-3, 1, Halves::kUp), -1);
  EXPECT_EQ(DivideByPowerOfTwo(-6, 2, Halves::kUp), -1);
}

TEST(FixedPoint, FactorsOfAnySize) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(Multiply(100, ToFixedPoint(0)), 0);
  EXPECT_EQ(Multiply(100, ToFixedPoint(1e-30)), 0);
  EXPECT_EQ(Multiply(100, ToFixedPoint(std::nan(""))), 0);
  for (double large : {1e12, 1e30, kInfinity}) {
    EXPECT_GT(Multiply(100, ToFixedPoint(large)), 1 << 29);
    EXPECT_LT(Multiply(100, ToFixedPoint(-large)), -(1 << 29));
    EXPECT_LT(Multiply(-100, ToFixedPoint(large)), -(1 << 29));
  }
}

TEST(FixedPoint, HighProducts) {
  EXPECT_EQ(HighProduct(INT16_MIN, INT16_MIN), INT16_MAX);
  EXPECT_EQ(HighProduct(1 << 14, 3), 2);  // 1.5
  EXPECT_EQ(HighProduct(-(1 << 14), 3), -1);
  EXPECT_EQ(HighProduct(1 << 14, 1 << 14), 1 << 13);
}

}  // namespace
}  // namespace sbnn
