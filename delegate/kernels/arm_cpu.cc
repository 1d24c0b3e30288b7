#include "delegate/kernels/arm_cpu.h"

#include <algorithm>
#include <cstdlib>
#include <sstream>

namespace sbnn {
namespace {

// Arm's own: Cortex-A5, A7, A8, A32, A34, A53, A35, A55, A510, A520; Qualcomm's names for the A53
// and A55: Kryo 2xx, 3xx and 4xx Silver. Numbers as in Linux's cputype.h and the cores' manuals.
constexpr ArmCore kInOrder[] = {
    {0x41, 0xc05}, {0x41, 0xc07}, {0x41, 0xc08}, {0x41, 0xd01}, {0x41, 0xd02},
    {0x41, 0xd03}, {0x41, 0xd04}, {0x41, 0xd05}, {0x41, 0xd46}, {0x41, 0xd80},
    {0x51, 0x801}, {0x51, 0x803}, {0x51, 0x805},
};

// The number behind the colon of a line that begins with `name`.
bool ReadField(const std::string& line, const std::string& name, unsigned* value) {
  const size_t colon = line.find(':');
  if (line.compare(0, name.size(), name) != 0 || colon == std::string::npos) return false;
  const char* const text = line.c_str() + colon + 1;
  char* end = nullptr;
  *value = static_cast<unsigned>(std::strtoul(text, &end, 0));
  return end != text;
}

}  // namespace

std::vector<ArmCore> ParseCores(const std::string& cpuinfo) {
  std::vector<ArmCore> cores;
  std::istringstream lines(cpuinfo);
  unsigned implementer = 0, part = 0;
  for (std::string line; std::getline(lines, line);) {
    ReadField(line, "CPU implementer", &implementer);
    if (ReadField(line, "CPU part", &part)) cores.push_back({implementer, part});
  }
  return cores;
}

bool AllInOrder(const std::vector<ArmCore>& cores) {
  return !cores.empty() && std::all_of(cores.begin(), cores.end(), [](const ArmCore& core) {
    return std::find(std::begin(kInOrder), std::end(kInOrder), core) != std::end(kInOrder);
  });
}

bool HasFp16(uint64_t hwcap) {
  constexpr uint64_t kScalars = 1u << 9, kVectors = 1u << 10;  // HWCAP_FPHP, HWCAP_ASIMDHP
  return (hwcap & kScalars) != 0 && (hwcap & kVectors) != 0;
}

bool HasDotProducts(uint64_t hwcap) {
  constexpr uint64_t kDotProducts = 1u << 20;  // HWCAP_ASIMDDP
  return (hwcap & kDotProducts) != 0;
}

bool HasByteMatrices(uint64_t hwcap2) {
  constexpr uint64_t kMatrices = 1u << 13;  // HWCAP2_I8MM
  return (hwcap2 & kMatrices) != 0;
}

bool HasFusedNeon(uint64_t hwcap) {
  constexpr uint64_t kNeon = 1u << 12, kFused = 1u << 16;  // HWCAP_NEON, HWCAP_VFPv4
  return (hwcap & kNeon) != 0 && (hwcap & kFused) != 0;
}

}  // namespace sbnn
