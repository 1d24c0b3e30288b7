// Every micro-kernel of the table against a plain reference: one test for each row of the table, so
// that a kernel without a test is a failure.
#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <iterator>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "delegate/format/float16.h"
#include "delegate/kernels/table.h"
#include "gtest/gtest.h"
#include "tests/delegate/kernels/testing.h"

namespace sbnn {

void PrintTo(const KernelRow& row, std::ostream* out) {
  *out << row.kernels->isa << ' ' << row.name;
}

namespace {

void FmaLoopAsTheReference(const KernelRow& row) {
  const Kernels& k = *row.kernels;
  // Each of the 12 x lanes numbers tends to 2 under v -> v / 2 + 1.
  float sink[2] = {0.5f, 1.0f};
  EXPECT_EQ(k.fma_loop(1000, sink), 2.0 * 12 * k.lanes * 1000);
  EXPECT_EQ(sink[0], 2.0f * 12 * k.lanes);
  // One step takes chain i from i to i + 1.
  float one[2] = {1.0f, 1.0f};
  EXPECT_EQ(k.fma_loop(1, one), 2.0 * 12 * k.lanes);
  EXPECT_EQ(one[0], (12 * 13 / 2) * k.lanes);
}

class EveryKernel : public testing::TestWithParam<KernelRow> {};

// By the beginning of a row's name; what comes first counts.
const std::vector<std::pair<std::string, void (*)(const KernelRow&)>> kTests = {
    {"spmm_unstructured_", &SpmmUnstructuredAsTheReference},
    {"spmm_g", &SpmmAsTheReference},
    {"spmv_g", &SpmvAsTheReference},
    {"scale_columns", &ScaleColumnsAsTheReference},
    {"depthwise_taps", &DepthwiseTapsAsTheReference},
    {"depthwise_direct_", &DepthwiseDirectAsTheReference},
    {"depthwise_two_channels_", &DepthwiseDirectAsTheReference},
    {"depthwise", &DepthwiseAsTheReference},
    {"pad_row", &PadRowAsTheReference},
    {"shift_rows", &ShiftRowsAsTheReference},
    {"pool_direct", &PoolDirectAsTheReference},
    {"pool", &PoolAsTheReference},
    {"binary", &BinaryAsTheReference},
    {"unary", &UnaryAsTheReference},
    {"softmax_rows", &SoftmaxRowsAsTheReference},
    {"softmax_columns", &SoftmaxColumnsAsTheReference},
    {"resize", &ResizeAsTheReference},
    {"clamp", &ClampAsTheReference},
    {"sum", &SumAsTheReference},
    {"transpose", &TransposeAsTheReference},
    {"fma_loop", &FmaLoopAsTheReference},
    {"narrow", &NarrowAsTheReference},
    {"widen", &WidenAsTheReference},
};

TEST_P(EveryKernel, AsTheReference) {
  const KernelRow& row = GetParam();
  const auto test = std::find_if(kTests.begin(), kTests.end(),
                                 [&](const auto& t) { return row.name.rfind(t.first, 0) == 0; });
  ASSERT_NE(test, kTests.end()) << "no test for this kernel";
  test->second(row);
}

INSTANTIATE_TEST_SUITE_P(Table, EveryKernel, testing::ValuesIn(KernelRows()), [](const auto& info) {
  return info.param.kernels->isa + ("_" + info.param.name);
});

constexpr int kOthers = 29;  // kernels that are neither spmm nor spmv

// A new function in the struct needs a row, and a test.
static_assert(sizeof(Kernels) - offsetof(Kernels, spmm) ==
                  sizeof(SpmmTiles) * (kGroupKinds + 1) * (1 + kTailKinds) +
                      sizeof(void (*)()) * (kGroupKinds + kOthers),
              "add the new kernel to KernelRows(), and its test to EveryKernel");

std::vector<const Kernels*> AllKernels() {
  std::vector<const Kernels*> all;
  for (const Kernels* k : AvailableKernels()) {
    all.push_back(k);
    if (const Kernels* fp16 = KernelsFor(*k, ElementType::kFloat16)) all.push_back(fp16);
  }
  return all;
}

TEST(KernelTable, ARowForEveryKernel) {
  for (const Kernels* k : AllKernels()) {
    std::set<std::string> names;
    for (const KernelRow& row : KernelRows()) {
      if (row.kernels != k) continue;
      EXPECT_TRUE(names.insert(row.name).second) << row.name << " twice";
    }
    size_t kernels = kGroupKinds + kOthers;
    if (k->lanes < 16) {
      EXPECT_EQ(k->depthwise_two_channels[0][0], nullptr);
      kernels -= 4;
    }
    EXPECT_EQ(k->type == ElementType::kFloat16, std::string(k->isa) == "neon_fp16");
    if (k->type == ElementType::kFloat32) {
      EXPECT_TRUE(k->narrow == nullptr && k->widen == nullptr);
      kernels -= 2;
    } else {
      EXPECT_TRUE(k->softmax_rows == nullptr && k->softmax_columns == nullptr);
      EXPECT_EQ(k->resize, nullptr);
      kernels -= 3;
    }
    for (int g = 0; g <= kUnstructuredKind; ++g) {
      EXPECT_GE(k->spmm[g][0].widest, 1);
      EXPECT_EQ(k->spmm[g][0].tail, 0);
      for (int t = 0; t <= kTailKinds; ++t) {
        const SpmmTiles& tiles = k->spmm[g][t];
        if (t > 0) {
          EXPECT_EQ(tiles.tail, kTails[t - 1]);
        }
        EXPECT_LE(tiles.widest, k->spmm[g][0].widest);
        for (int p = 0; p < kMaxTileVectors; ++p) {
          EXPECT_EQ(tiles.kernel[p] != nullptr, p < tiles.widest) << k->isa << ' ' << g << ' ' << p;
        }
        kernels += tiles.widest;
      }
      if (g < kUnstructuredKind) {
        EXPECT_EQ(GroupIndex(kGroupSizes[g]), g);
      }
    }
    EXPECT_EQ(names.size(), kernels);
    EXPECT_LE(k->lanes, kMaxLanes);
  }
}

std::set<std::string> IsasOfThisCpu() {
  std::set<std::string> isas = {"scalar"};
  // Under an emulator only its user knows.
  if (const char* const told = std::getenv("SBNN_TEST_ISAS")) {
    std::istringstream words(told);
    return {std::istream_iterator<std::string>(words), std::istream_iterator<std::string>()};
  }
  // As the kernel tells it, not by the way the table asks.
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> cpuinfo(std::fopen("/proc/cpuinfo", "r"),
                                                                &std::fclose);
  std::set<std::string> flags;
  char buffer[8192];
  while (cpuinfo != nullptr && flags.empty() &&
         std::fgets(buffer, sizeof(buffer), cpuinfo.get()) != nullptr) {
    const std::string line = buffer;
    if (line.rfind("flags", 0) != 0 && line.rfind("Features", 0) != 0) continue;
    std::istringstream words(line);
    for (std::string word; words >> word;) flags.insert(word);
  }
  EXPECT_FALSE(flags.empty()) << "/proc/cpuinfo tells no flags";
  [[maybe_unused]] const auto has = [&](const char* flag) { return flags.count(flag) != 0; };
#if defined(__aarch64__)
  isas.insert("neon");
  if (has("fphp") && has("asimdhp")) isas.insert("neon_fp16");
#elif defined(__arm__)
  if (has("neon") && has("vfpv4")) isas.insert("neon");
#elif defined(__x86_64__)
  if (has("avx2") && has("fma")) isas.insert("avx2");
  if (has("avx512f") && has("avx512bw") && has("avx512dq") && has("avx512vl"))
    isas.insert("avx512");
#endif
  return isas;
}

TEST(KernelTable, HasWhatThisCpuHas) {
  std::set<std::string> found;
  for (const Kernels* k : AllKernels()) found.insert(k->isa);
  EXPECT_EQ(found, IsasOfThisCpu());
  std::cout << "instruction sets tested:";
  for (const std::string& isa : found) std::cout << ' ' << isa;
  std::cout << std::endl;
}

TEST(KernelTable, BestFirst) {
  const std::vector<std::string> order = {"avx512", "avx2", "neon", "scalar"};
  [[maybe_unused]] size_t at = 0;
  for (const Kernels* k : AvailableKernels()) {
    EXPECT_EQ(FindKernels(k->isa), k);
#if !defined(__wasm__)  // there, either may be the better one
    const auto found = std::find(order.begin() + at, order.end(), k->isa);
    ASSERT_NE(found, order.end()) << k->isa << " is unknown or out of order";
    at = found - order.begin() + 1;
  }
  EXPECT_EQ(AvailableKernels().back()->isa, std::string("scalar"));
#else
  }
#endif
  EXPECT_EQ(FindKernels(""), AvailableKernels().front());
  EXPECT_EQ(FindKernels("AVX2"), nullptr);
  EXPECT_EQ(FindKernels("sse"), nullptr);
}

}  // namespace
}  // namespace sbnn
