#include "delegate/kernels/table.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <utility>

#if defined(__aarch64__) || defined(__arm__)
#include <sys/auxv.h>

#include <fstream>
#include <sstream>

#include "delegate/kernels/arm_cpu.h"
#endif

namespace sbnn {

// Cycles of a Cortex-A55's loops of the widest tiles by delegate/bench/arm: there, a load takes as
// long as two multiplications. Unstructured: a step of two weights is 3.2 cycles where they share a
// column (2 weights + column), 5.2 where they do not (2 weights + 2 columns).
const ColumnCost kInOrderCost = {{2.4f, 3.75f, 4.83f, 9.33f}, 0.6f, 2.0f, 192};

#if defined(__x86_64__)
Kernels Avx2Kernels();
Kernels Avx512Kernels();
#elif defined(__aarch64__)
Kernels NeonKernels();
Kernels NeonFp16Kernels();
#elif defined(__arm__)
Kernels NeonKernels();
#elif defined(__wasm__)
Kernels WasmKernelsX64();
Kernels WasmKernelsArm64();
#endif
#if !defined(__wasm__)
Kernels ScalarKernels();
#endif

namespace {

#if defined(__aarch64__) || defined(__arm__)
bool OnInOrderCores() {
  std::ifstream file("/proc/cpuinfo");
  std::ostringstream text;
  text << file.rdbuf();
  return AllInOrder(ParseCores(text.str()));
}
#endif

#if defined(__wasm__)
// WebAssembly does not tell the processor, but 0 / 0 does: its sign is set on x64 only.
bool OnX64() {
  volatile float zero = 0;
  const float nan = zero / zero;
  uint32_t bits;
  std::memcpy(&bits, &nan, sizeof(bits));
  return bits >> 31 != 0;
}
#endif

// Of float32, best first, and of other types.
struct Found {
  std::vector<Kernels> floats, others;
};

// The CPU is asked before a set is collected: collecting already runs its code.
Found Detect() {
  Found found;
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
    found.floats.push_back(Avx512Kernels());
  }
  if (avx2) found.floats.push_back(Avx2Kernels());
#elif defined(__aarch64__)
  found.floats.push_back(NeonKernels());  // part of every Armv8-A
  if (HasFp16(getauxval(AT_HWCAP))) found.others.push_back(NeonFp16Kernels());
#elif defined(__arm__)
  if (HasFusedNeon(getauxval(AT_HWCAP))) found.floats.push_back(NeonKernels());
#elif defined(__wasm__)
  found.floats = {WasmKernelsX64(), WasmKernelsArm64()};
  if (!OnX64()) std::swap(found.floats[0], found.floats[1]);
#endif
#if defined(__aarch64__) || defined(__arm__)
  if (OnInOrderCores()) {
    for (std::vector<Kernels>* kernels : {&found.floats, &found.others}) {
      for (Kernels& k : *kernels) {
        k.column_cost = kInOrderCost;
        k.in_order = true;
      }
    }
  }
#endif
#if !defined(__wasm__)  // where they would be as large as all the rest, and never run
  found.floats.push_back(ScalarKernels());
#endif
  return found;
}

const Found& All() {
  static const Found* const all = new Found(Detect());
  return *all;
}

}  // namespace

int GroupIndex(int group) {
  return static_cast<int>(std::find(kGroupSizes.begin(), kGroupSizes.end(), group) -
                          kGroupSizes.begin());
}

int KindIndex(const PackedShape& weights) {
  return weights.unstructured() ? kUnstructuredKind : GroupIndex(weights.group);
}

const std::vector<const Kernels*>& AvailableKernels() {
  static const auto* const pointers = [] {
    auto* p = new std::vector<const Kernels*>;
    for (const Kernels& k : All().floats) p->push_back(&k);
    return p;
  }();
  return *pointers;
}

const Kernels* FindKernels(const std::string& isa) {
  for (const Kernels* k : AvailableKernels()) {
    if (isa.empty() || isa == k->isa) return k;
  }
  return nullptr;
}

const Kernels* KernelsFor(const Kernels& kernels, ElementType type) {
  if (type == kernels.type) return &kernels;
  for (const Kernels& k : All().others) {
    if (k.type == type && std::string(k.isa).rfind(kernels.isa, 0) == 0) return &k;
  }
  return nullptr;
}

std::vector<KernelRow> KernelRows() {
  std::vector<KernelRow> rows;
  std::vector<const Kernels*> all;
  for (const Kernels* k : AvailableKernels()) {
    all.push_back(k);
    if (const Kernels* fp16 = KernelsFor(*k, ElementType::kFloat16)) all.push_back(fp16);
  }
  for (const Kernels* k : all) {
    for (int g = 0; g <= kUnstructuredKind; ++g) {
      const int size = g == kUnstructuredKind ? 0 : kGroupSizes[g];
      const std::string group =
          g == kUnstructuredKind ? "_unstructured" : "_g" + std::to_string(size);
      for (const SpmmTiles& tiles : k->spmm[g]) {
        const std::string tail = tiles.tail == 0 ? "" : "_t" + std::to_string(tiles.tail);
        for (int p = 1; p <= tiles.widest; ++p) {
          rows.push_back(
              {"spmm" + group + "_p" + std::to_string(p) + tail, k, size, p, tiles.tail});
        }
      }
      if (g < kUnstructuredKind) rows.push_back({"spmv" + group, k, size, 0, 0});
    }
    const auto add = [&](const std::string& name) { rows.push_back({name, k, 0, 0, 0}); };
    for (int i = 0; i < 4; ++i) {
      const std::string window = i < 2 ? "_3x3" : "_5x5", stride = i % 2 == 0 ? "_s1" : "_s2";
      add("depthwise_direct" + window + stride);
      if (k->depthwise_two_channels[i / 2][i % 2] != nullptr)
        add("depthwise_two_channels" + window + stride);
    }
    for (const char* name :
         {"spmm_unstructured_pixel", "scale_columns", "depthwise", "depthwise_taps", "pool",
          "pool_direct_2x2_s2", "pool_direct_3x3_s1", "pool_direct_3x3_s2", "pad_row", "shift_rows",
          "clamp", "binary", "unary", "sum", "transpose", "fma_loop"}) {
      add(name);
    }
    if (k->softmax_rows != nullptr) add("softmax_rows");
    if (k->softmax_columns != nullptr) add("softmax_columns");
    if (k->resize != nullptr) add("resize");
    if (k->narrow != nullptr) add("narrow");
    if (k->widen != nullptr) add("widen");
  }
  return rows;
}

double MeasurePeakGflops(const Kernels& kernels) {
  using Clock = std::chrono::steady_clock;
  constexpr size_t kSteps = 200000;
  double best = 0;
  for (int run = 0; run < 20; ++run) {
    float sink[2] = {0.5f, 1.0f};
    const auto start = Clock::now();
    const double operations = kernels.fma_loop(kSteps, sink);
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    best = std::max(best, operations / seconds * 1e-9);
  }
  return best;
}

}  // namespace sbnn
