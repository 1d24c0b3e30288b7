// What the choice of kernels depends on, on ARM, read from what Linux tells of the CPU. Plain
// parsing, so that it is tested on any machine.
#ifndef SBNN_DELEGATE_KERNELS_ARM_CPU_H_
#define SBNN_DELEGATE_KERNELS_ARM_CPU_H_

#include <cstdint>
#include <string>
#include <vector>

namespace sbnn {

// A core's design, from its main ID register (MIDR): who made it, and which of theirs it is.
struct ArmCore {
  unsigned implementer, part;

  bool operator==(const ArmCore& o) const { return implementer == o.implementer && part == o.part; }
};

// The cores that /proc/cpuinfo lists ("CPU implementer", "CPU part"). It says the same as each
// core's regs/identification/midr_el1 in sysfs, and is there on 32-bit kernels and for Android
// apps. Empty where nothing of the kind is found.
std::vector<ArmCore> ParseCores(const std::string& cpuinfo);

// Whether all cores issue in order, such as the Cortex-A53 and A55. Where there are none that are
// known, or a big one among them, which then does most of the work: no.
bool AllInOrder(const std::vector<ArmCore>& cores);

// Whether AT_HWCAP of a 64-bit process promises arithmetic on float16, scalars and vectors (Armv8.2
// FP16).
bool HasFp16(uint64_t hwcap);

// Whether it promises products of four bytes (SDOT).
bool HasDotProducts(uint64_t hwcap);

// Whether AT_HWCAP2 of one promises products of matrices of bytes (SMMLA): cores since the
// Cortex-X2, A710 and A510.
bool HasByteMatrices(uint64_t hwcap2);

// Whether AT_HWCAP of a 32-bit process promises NEON and fused multiply-add (VFPv4): every core
// since the Cortex-A7 and A15.
bool HasFusedNeon(uint64_t hwcap);

}  // namespace sbnn

#endif  // SBNN_DELEGATE_KERNELS_ARM_CPU_H_
