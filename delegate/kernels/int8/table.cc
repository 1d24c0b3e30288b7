#include "delegate/kernels/int8/table.h"

#include <algorithm>
#include <chrono>

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__) || defined(__arm__)
#include <sys/auxv.h>

#include "delegate/kernels/arm_cpu.h"
#endif

namespace sbnn {
namespace int8 {

#if defined(__wasm__)
Kernels WasmKernels();
#if defined(__wasm_relaxed_simd__)
Kernels WasmDotKernels();
bool HasExactDots();
#endif
#else
Kernels ScalarKernels();
#endif
#if defined(__x86_64__)
Kernels Avx512VnniKernels();
Kernels Avx512Kernels();
Kernels AvxVnniKernels();
Kernels Avx2Kernels();
#elif defined(__aarch64__)
Kernels NeonDotKernels();
Kernels NeonKernels();
#elif defined(__arm__)
Kernels NeonKernels();
#endif

namespace {

#if defined(__x86_64__)
// (Not every compiler's __builtin_cpu_supports knows it.)
bool HasAvxVnni() {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  return __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) != 0 && (eax >> 4 & 1) != 0;
}
#endif

// The CPU is asked before a set is collected: collecting already runs its code.
std::vector<Kernels> Detect() {
  std::vector<Kernels> found;
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
    if (__builtin_cpu_supports("avx512vnni")) found.push_back(Avx512VnniKernels());
    found.push_back(Avx512Kernels());
  }
  if (avx2 && HasAvxVnni()) found.push_back(AvxVnniKernels());
  if (avx2) found.push_back(Avx2Kernels());
#elif defined(__aarch64__)
  if (HasDotProducts(getauxval(AT_HWCAP))) found.push_back(NeonDotKernels());
  found.push_back(NeonKernels());  // part of every Armv8-A
#elif defined(__arm__)
  if (HasFusedNeon(getauxval(AT_HWCAP))) found.push_back(NeonKernels());
#endif
#if defined(__wasm__)
#if defined(__wasm_relaxed_simd__)
  if (HasExactDots()) found.push_back(WasmDotKernels());
#endif
  found.push_back(WasmKernels());
#else
  found.push_back(ScalarKernels());
#endif
  return found;
}

void AddBlocks(const std::string& kind, const BlockTiles& tiles, const Kernels* k, int group,
               std::vector<KernelRow>* rows) {
  for (int p = 1; p <= tiles.widest; ++p) {
    const std::string name = kind + "_p" + std::to_string(p);
    const int pixels = p * k->lanes;
    rows->push_back({name, k, tiles.kernel[p - 1], group, pixels, false});
    if (tiles.with_tail[p - 1] == nullptr) continue;
    rows->push_back({name + "_t" + std::to_string(kTailPixels), k, tiles.with_tail[p - 1], group,
                     pixels + kTailPixels, false});
  }
}

void AddColumns(const std::string& kind, const ColumnTiles& tiles, const Kernels* k, int group,
                bool to_panel, std::vector<KernelRow>* rows) {
  const auto add = [&](const char* size, SpmmFn spmm, int pixels) {
    if (spmm != nullptr) rows->push_back({kind + size, k, spmm, group, pixels, to_panel});
  };
  add("_wide", tiles.wide, 4 * k->lanes);
  add("_narrow", tiles.narrow, k->lanes);
  add("_tail", tiles.tail, kTailPixels);
}

}  // namespace

int GroupIndex(int group) {
  return static_cast<int>(std::find(kInt8Groups, kInt8Groups + kInt8GroupKinds, group) -
                          kInt8Groups);
}

const std::vector<const Kernels*>& AvailableKernels() {
  static const auto* const pointers = [] {
    static const auto* const all = new std::vector<Kernels>(Detect());
    auto* p = new std::vector<const Kernels*>;
    for (const Kernels& k : *all) p->push_back(&k);
    return p;
  }();
  return *pointers;
}

const Kernels* KernelsOf(const std::string& isa) {
  // The width of vectors is what a name begins with: "avx512", or "avx" of any other.
  const auto goes_with = [&isa](const std::string& name) {
    if (name.rfind(isa, 0) == 0) return true;
    return (isa == "avx2" && name == "avxvnni") ||
           (isa.rfind("wasm", 0) == 0 && name.rfind("wasm", 0) == 0);
  };
  for (const Kernels* k : AvailableKernels()) {
    if (goes_with(k->isa)) return k;
  }
  return nullptr;
}

std::vector<KernelRow> KernelRows(const std::vector<const Kernels*>& kernels) {
  std::vector<KernelRow> rows;
  for (const Kernels* k : kernels) {
    for (int g = 0; g < kInt8GroupKinds; ++g) {
      const std::string group = "_g" + std::to_string(kInt8Groups[g]);
      AddBlocks("blocks" + group, k->blocks[g], k, kInt8Groups[g], &rows);
      AddBlocks("floats_blocks" + group, k->blocks_to_floats[g], k, kInt8Groups[g], &rows);
      for (int panel = 0; panel < 2; ++panel) {
        AddColumns("columns" + group + (panel == 1 ? "_to_panel" : "_to_quads"),
                   k->columns[g][panel], k, kInt8Groups[g], panel == 1, &rows);
      }
      AddColumns("floats_columns" + group, k->columns_to_floats[g], k, kInt8Groups[g], true, &rows);
    }
    for (const char* name :
         {"spmv", "depthwise_3x3_s1", "depthwise_3x3_s2", "depthwise_5x5_s1", "depthwise_5x5_s2",
          "depthwise_any", "shift_rows", "gather", "relayout", "add", "multiply", "lookup",
          "quantize", "sum", "maximum", "limit", "dot_loop"}) {
      rows.push_back({name, k, nullptr, 0, 0, false});
    }
    if (k->spmv_to_floats == nullptr) continue;
    for (const char* name :
         {"floats_spmv", "ranges", "roundings", "round_to", "round_away", "scale"}) {
      rows.push_back({name, k, nullptr, 0, 0, false});
    }
  }
  return rows;
}

double MeasurePeak(const Kernels& kernels) {
  using Clock = std::chrono::steady_clock;
  constexpr size_t kSteps = 200000;
  double best = 0;
  for (int run = 0; run < 20; ++run) {
    int32_t sink = 0;
    const auto start = Clock::now();
    const double products = kernels.dot_loop(kSteps, &sink);
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    best = std::max(best, products / seconds * 1e-9);
  }
  return best;
}

}  // namespace int8
}  // namespace sbnn
