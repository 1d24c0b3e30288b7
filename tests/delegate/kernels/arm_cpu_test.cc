// What is read from Linux about an ARM CPU: texts as phones have them, on any machine.
#include "delegate/kernels/arm_cpu.h"

#include <string>

#include "gtest/gtest.h"

namespace sbnn {
namespace {

constexpr ArmCore kA53{0x41, 0xd03}, kA55{0x41, 0xd05}, kA76{0x41, 0xd0b};

std::string Core(int number, const char* implementer, const char* part) {
  return "processor\t: " + std::to_string(number) +
         "\nBogoMIPS\t: 38.40\nFeatures\t: fp asimd evtstrm aes fphp asimdhp cpuid\n"
         "CPU implementer\t: " +
         implementer + "\nCPU architecture: 8\nCPU variant\t: 0xd\nCPU part\t: " + part +
         "\nCPU revision\t: 14\n\n";
}

TEST(ParseCores, OneEntryACore) {
  const std::string text = Core(0, "0x41", "0xd05") + Core(1, "0x41", "0xd05") +
                           Core(2, "0x51", "0x804") + "Hardware\t: Qualcomm Technologies, Inc\n";
  EXPECT_EQ(ParseCores(text), (std::vector<ArmCore>{kA55, kA55, {0x51, 0x804}}));
}

// The text of 32-bit kernels names implementer and part just once.
TEST(ParseCores, OneForAll) {
  EXPECT_EQ(
      ParseCores("Processor\t: ARMv7 Processor rev 4 (v7l)\nprocessor\t: 0\n\nprocessor\t: 1\n\n"
                 "Features\t: neon vfpv4\nCPU implementer\t: 0x41\nCPU architecture: 7\n"
                 "CPU part\t: 0xd03\n"),
      std::vector<ArmCore>{kA53});
}

TEST(ParseCores, OtherTexts) {
  for (const char* text : {"", "\n\n", "CPU part", "CPU part\t:", "CPU part\t: unknown\n",
                           "processor\t: 0\nvendor_id\t: AuthenticAMD\nflags\t\t: fpu avx2\n"}) {
    EXPECT_TRUE(ParseCores(text).empty()) << text;
  }
}

TEST(AllInOrder, OnlyWhereThatIsKnown) {
  EXPECT_TRUE(AllInOrder({kA55}));
  EXPECT_TRUE(AllInOrder({kA53, kA53, kA55, {0x51, 0x805}}));
  EXPECT_FALSE(AllInOrder({}));
  EXPECT_FALSE(AllInOrder({kA76}));
  EXPECT_FALSE(AllInOrder({kA55, kA55, kA55, kA55, kA55, kA55, kA76, kA76})) << "big cores decide";
  EXPECT_FALSE(AllInOrder({kA55, {0x51, 0x804}})) << "Kryo 4xx Gold";
  EXPECT_FALSE(AllInOrder({{0x48, 0xd05}})) << "another maker's numbers mean other cores";
  EXPECT_FALSE(AllInOrder({{0x41, 0xfff}})) << "not known";
}

TEST(HasFp16, NeedsScalarsAndVectors) {
  EXPECT_FALSE(HasFp16(0));
  EXPECT_FALSE(HasFp16(0x8ff)) << "a Cortex-A72";
  EXPECT_FALSE(HasFp16(1u << 9));
  EXPECT_FALSE(HasFp16(1u << 10));
  EXPECT_TRUE(HasFp16(0x119fff)) << "a Cortex-A76";
  EXPECT_TRUE(HasFp16(~uint64_t{0}));
}

TEST(HasDotProducts, IsABitOfItsOwn) {
  EXPECT_FALSE(HasDotProducts(0));
  EXPECT_FALSE(HasDotProducts(0x8ff)) << "a Cortex-A72";
  EXPECT_FALSE(HasDotProducts(~uint64_t{1u << 20}));
  EXPECT_TRUE(HasDotProducts(0x119fff)) << "a Cortex-A76";
}

TEST(HasByteMatrices, IsABitOfItsOwn) {
  EXPECT_FALSE(HasByteMatrices(0));
  EXPECT_FALSE(HasByteMatrices(~uint64_t{1u << 13}));
  EXPECT_TRUE(HasByteMatrices(1u << 13));
}

TEST(HasFusedNeon, NeedsBoth) {
  EXPECT_FALSE(HasFusedNeon(0));
  EXPECT_FALSE(HasFusedNeon(0x1fd7 & ~(1u << 16))) << "a Cortex-A9";
  EXPECT_FALSE(HasFusedNeon(1u << 16));
  EXPECT_TRUE(HasFusedNeon(0x3fb0d6)) << "a 32-bit process on a Cortex-A55";
}

}  // namespace
}  // namespace sbnn
