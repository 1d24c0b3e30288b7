// Every int8 micro-kernel of the table against a plain reference: one test for each row of the
// table, so that a kernel without a test is a failure.
#include "delegate/kernels/int8/table.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "tests/delegate/kernels/int8/testing.h"

namespace sbnn {
namespace int8 {

#if defined(__x86_64__)
Kernels AvxVnniAsAvx512Kernels();
#endif

void PrintTo(const KernelRow& row, std::ostream* out) {
  *out << row.kernels->isa << ' ' << row.name;
}

namespace {

std::vector<const Kernels*> AllKernels() {
  std::vector<const Kernels*> all = AvailableKernels();
#if defined(__x86_64__)
  if (all.front()->isa == std::string("avx512vnni")) {
    static const Kernels* const encoded = new Kernels(AvxVnniAsAvx512Kernels());
    all.push_back(encoded);
  }
#endif
  return all;
}

void DotLoopAsTheReference(const KernelRow& row) {
  // Chain i begins with i, and gets 4 a step; all of it is limited to 127.
  int32_t sink = 5;
  const Kernels& k = *row.kernels;
  EXPECT_EQ(k.dot_loop(3, &sink), 4.0 * k.lanes * 12 * 3);
  int32_t expected = 5;
  for (int i = 0; i < 12; ++i) {
    expected += std::min(127, i + 3 * 4 * (k.input_offset + 1));
  }
  EXPECT_EQ(sink, expected);
}

class EveryInt8Kernel : public testing::TestWithParam<KernelRow> {};

// By the beginning of a row's name; what comes first counts.
const std::vector<std::pair<std::string, void (*)(const KernelRow&)>> kTests = {
    {"blocks_", &SpmmAsTheReference},
    {"columns_", &SpmmAsTheReference},
    {"spmv", &SpmvAsTheReference},
#if !defined(__wasm__)
    {"floats_spmv", &SpmvToFloatsAsTheReference},
    {"floats_", &SpmmToFloatsAsTheReference},
    {"ranges", &RangesAsTheReference},
    {"roundings", &RoundingsAsTheReference},
    {"round_to", &RoundToAsTheReference},
    {"round_away", &RoundAwayAsTheReference},
    {"scale", &ScaleAsTheReference},
#endif
    {"depthwise_any", &DepthwiseAnyAsTheReference},
    {"depthwise_", &DepthwiseAsTheReference},
    {"shift_rows", &ShiftRowsAsTheReference},
    {"gather", &GatherAsTheReference},
    {"relayout", &RelayoutAsTheReference},
    {"add", &AddAsTheReference},
    {"multiply", &MultiplyAsTheReference},
    {"lookup", &LookupAsTheReference},
    {"quantize", &QuantizeAsTheReference},
    {"sum", &SumAsTheReference},
    {"maximum", &MaximumAsTheReference},
    {"limit", &LimitAsTheReference},
    {"dot_loop", &DotLoopAsTheReference},
};

TEST_P(EveryInt8Kernel, AsTheReference) {
  const KernelRow& row = GetParam();
  const auto test = std::find_if(kTests.begin(), kTests.end(),
                                 [&](const auto& t) { return row.name.rfind(t.first, 0) == 0; });
  ASSERT_NE(test, kTests.end()) << "no test for this kernel";
  test->second(row);
}

INSTANTIATE_TEST_SUITE_P(Table, EveryInt8Kernel, testing::ValuesIn(KernelRows(AllKernels())),
                         [](const auto& info) {
                           return info.param.kernels->isa + ("_" + info.param.name);
                         });

// A new function in the struct needs a row, and a test. (Shifts, gathers and changes of layout are
// nine functions of three rows, what goes element by element ten of seven, what rounds floats seven
// of five.)
static_assert(sizeof(Kernels) - offsetof(Kernels, blocks) ==
                  kInt8GroupKinds * (2 * sizeof(BlockTiles) + 3 * sizeof(ColumnTiles)) +
                      sizeof(void (*)()) * (2 + 4 + 4 + 1 + 9 + 10 + 7 + 1),
              "add the new kernel to KernelRows(), and its test to EveryInt8Kernel");

std::set<std::string> IsasOfThisCpu() {
  // Under an emulator only its user knows.
  if (const char* const told = std::getenv("SBNN_TEST_INT8_ISAS")) {
    std::istringstream words(told);
    return {std::istream_iterator<std::string>(words), std::istream_iterator<std::string>()};
  }
#if defined(__wasm__)
  return {"wasm"};
#else
  std::set<std::string> isas = {"scalar"};
  // As the kernel tells it, not by the way the table asks.
  std::ifstream cpuinfo("/proc/cpuinfo");
  std::set<std::string> flags;
  for (std::string line; std::getline(cpuinfo, line) && flags.empty();) {
    if (line.rfind("flags", 0) != 0 && line.rfind("Features", 0) != 0) continue;
    std::istringstream words(line);
    for (std::string word; words >> word;) flags.insert(word);
  }
  EXPECT_FALSE(flags.empty()) << "/proc/cpuinfo tells no flags";
  const auto has = [&](const char* flag) { return flags.count(flag) != 0; };
#if defined(__aarch64__)
  isas.insert("neon");
  if (has("asimddp")) isas.insert("neon_dot");
#elif defined(__arm__)
  if (has("neon") && has("vfpv4")) isas.insert("neon");
#elif defined(__x86_64__)
  if (has("avx2") && has("fma")) isas.insert("avx2");
  if (has("avx_vnni")) isas.insert("avxvnni");
  if (has("avx512f") && has("avx512bw") && has("avx512dq") && has("avx512vl")) {
    isas.insert("avx512");
    if (has("avx512_vnni")) isas.insert("avx512vnni");
  }
#endif
  return isas;
#endif
}

TEST(Int8KernelTable, HasWhatThisCpuHas) {
  std::set<std::string> found;
  for (const Kernels* k : AvailableKernels()) found.insert(k->isa);
  EXPECT_EQ(found, IsasOfThisCpu());
  std::cout << "instruction sets tested:";
  for (const std::string& isa : found) std::cout << ' ' << isa;
  std::cout << std::endl;
}

TEST(Int8KernelTable, BestFirst) {
  const std::vector<std::string> order = {"avx512vnni", "avx512",   "avxvnni", "avx2",  "neon_dot",
                                          "neon",       "wasm_dot", "wasm",    "scalar"};
  size_t at = 0;
  for (const Kernels* k : AvailableKernels()) {
    const auto found = std::find(order.begin() + at, order.end(), k->isa);
    ASSERT_NE(found, order.end()) << k->isa << " is unknown or out of order";
    at = found - order.begin() + 1;
    EXPECT_EQ(KernelsOf(k->isa)->isa,
              KernelsOf(k->isa == std::string("avx512") ? "avx512vnni" : k->isa)->isa);
  }
#if defined(__wasm__)
  // Whatever the tiles of the float kernels are made for.
  EXPECT_EQ(KernelsOf("wasm_x64"), AvailableKernels().front());
  EXPECT_EQ(KernelsOf("wasm_arm64"), AvailableKernels().front());
#else
  EXPECT_EQ(KernelsOf("scalar"), AvailableKernels().back());
#endif
  EXPECT_EQ(KernelsOf("AVX2"), nullptr);
}

TEST(Int8KernelTable, GroupsHaveTheirIndex) {
  for (int g = 0; g < kInt8GroupKinds; ++g) EXPECT_EQ(GroupIndex(kInt8Groups[g]), g);
}

}  // namespace
}  // namespace int8
}  // namespace sbnn
