// Times the layers of networks one at a time in the engine, without TensorFlow Lite.
//
//   bazel run //delegate/bench:layers -- delegate/bench/shapes/mobilenet_v1.txt --keep 0.5
//
// A line a layer: microseconds (minimum) with warm weights, GFLOP/s of the work done, its share of
// the FMA peak that is measured in the same run, GFLOP/s if the zeros are counted as work, and, if
// asked for, microseconds with cold weights.
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "delegate/bench/layer.h"

namespace sbnn {
namespace {

constexpr char kUsage[] =
    "layers SHAPES... [options]\n"
    "  SHAPES       lines: conv|dw|fc height width inputs outputs kernel stride [count]\n"
    "  --keep F     share of the weights of 1x1 convolutions that are kept (default 1)\n"
    "  --keep-kxk F the same of larger convolutions, but that of a file's first line (default 1)\n"
    "  --keep-fc F  the same of fully connected layers, of height * width rows (default 1)\n"
    "  --taps T     larger convolutions keep T taps of each kernel, in one of 8 patterns, and "
    "lose\n"
    "               whole kernels down to --keep-kxk\n"
    "  --group G    outputs that share their kept inputs: 1, 2, 4, 8 or 16 (default 4)\n"
    "  --num-threads N  (default 1)\n"
    "  --rounds N   (default 50)\n"
    "  --cold N     rounds with weights that no cache holds (default 0)\n"
    "  --isa NAME   avx512, avx2, neon or scalar (default: the best there is)\n";

constexpr size_t kLeastCacheLine = 32;  // bytes

struct Options {
  std::vector<std::string> shapes;
  Zeros zeros;
  int num_threads = 1, rounds = 50, cold = 0;
  std::string isa;

  bool Valid() const {
    return !shapes.empty() && zeros.keep > 0 && zeros.keep <= 1 && zeros.keep_kxk > 0 &&
           zeros.keep_kxk <= 1 && zeros.keep_fc > 0 && zeros.keep_fc <= 1 && zeros.taps >= 0 &&
           zeros.group >= 1 && num_threads >= 1 && rounds >= 1 && cold >= 0;
  }
};

struct Measured {
  double seconds = 1e9, cold_seconds = 1e9;
  double flops = 0;        // done
  double dense_flops = 0;  // if nothing were skipped
};

void Check(const Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "%s\n", status.message().c_str());
  std::exit(2);
}

// Takes an array out of all caches.
template <typename Array>
void Evict(const Array& array) {
  const char* const begin = reinterpret_cast<const char*>(array.data());
  for (size_t i = 0; i < array.size() * sizeof(*array.data()); i += kLeastCacheLine) {
#if defined(__x86_64__)
    _mm_clflush(begin + i);
#elif defined(__aarch64__)
    asm volatile("dc civac, %0" ::"r"(begin + i) : "memory");
#else
    static_cast<void>(begin);  // programs have no instruction for it on 32-bit ARM
#endif
  }
#if defined(__x86_64__)
  _mm_mfence();
#elif defined(__aarch64__)
  asm volatile("dsb sy" ::: "memory");
#endif
}

Measured Measure(const Layer& l, const Options& options, const Kernels& kernels) {
  LayerNetwork made;
  Check(MakeNetwork(l, options.zeros, kernels, options.num_threads, &made));
  const auto evict_weights = [&] {
    if (made.depthwise) Evict(made.depthwise->taps);
    if (made.packed) Evict(made.packed->values), Evict(made.packed->columns);
  };
  Network& network = made.network;
  Measured m;
  m.flops = made.flops;
  m.dense_flops = made.dense_flops;
  std::vector<float> x(ElementCount(made.input), 0.5f), y(ElementCount(network.output_shape(0)));
  std::vector<double> seconds;
  for (int r = 0; r < options.rounds; ++r) {
    Check(network.Run({x.data()}, {y.data()}, &seconds));
    m.seconds = std::min(m.seconds, seconds[0]);
  }
  for (int r = 0; r < options.cold; ++r) {
    evict_weights();
    Check(network.Run({x.data()}, {y.data()}, &seconds));
    m.cold_seconds = std::min(m.cold_seconds, seconds[0]);
  }
  return m;
}

// False: a bad option.
bool Parse(int argc, char** argv, Options* options) {
  for (int i = 1; i < argc; ++i) {
    const std::string arg = argv[i];
    if (arg.rfind("--", 0) != 0) {
      options->shapes.push_back(arg);
      continue;
    }
    if (++i >= argc) return false;
    const char* const value = argv[i];
    if (arg == "--keep") {
      options->zeros.keep = std::strtof(value, nullptr);
    } else if (arg == "--keep-fc") {
      options->zeros.keep_fc = std::strtof(value, nullptr);
    } else if (arg == "--keep-kxk") {
      options->zeros.keep_kxk = std::strtof(value, nullptr);
    } else if (arg == "--taps") {
      options->zeros.taps = std::atoi(value);
    } else if (arg == "--group") {
      options->zeros.group = std::atoi(value);
    } else if (arg == "--num-threads") {
      options->num_threads = std::atoi(value);
    } else if (arg == "--rounds") {
      options->rounds = std::atoi(value);
    } else if (arg == "--cold") {
      options->cold = std::atoi(value);
    } else if (arg == "--isa") {
      options->isa = value;
    } else {
      return false;
    }
  }
  return options->Valid();
}

void TimeFile(const std::string& path, const Options& options, const Kernels& kernels) {
  const double peak = MeasurePeakGflops(kernels) * options.num_threads;
  std::printf("\n%s: %s, %d thread(s), peak %.1f GFLOP/s, kept %.0f %% of 1x1, %.0f %% of larger",
              path.c_str(), kernels.isa, options.num_threads, peak, options.zeros.keep * 100,
              options.zeros.keep_kxk * 100);
  if (options.zeros.taps > 0) std::printf(" (%d taps)", options.zeros.taps);
  std::printf(", group %d\n%-4s %4s %4s %5s %5s %2s %1s %3s %9s %9s %6s %13s %9s\n",
              options.zeros.group, "", "h", "w", "in", "out", "k", "s", "n", "us", "GFLOP/s",
              "peak", "dense GFLOP/s", options.cold > 0 ? "us, cold" : "");
  // By kind: 1x1, larger, depthwise, fully connected.
  constexpr const char* kKinds[] = {"1x1", "larger", "depthwise", "fully connected"};
  double total = 0, seconds[4] = {}, flops[4] = {};
  std::vector<Layer> layers;
  Check(ReadLayers(path, &layers));
  for (const Layer& l : layers) {
    const Measured m = Measure(l, options, kernels);
    const int kind = l.op == "dw" ? 2 : l.op == "fc" ? 3 : l.kernel > 1 ? 1 : 0;
    total += l.count * m.seconds;
    seconds[kind] += l.count * m.seconds;
    flops[kind] += l.count * m.flops;
    std::printf("%-4s %4d %4d %5d %5d %2d %1d %3d %9.1f %9.1f %5.0f%% %13.1f", l.op.c_str(), l.h,
                l.w, l.inputs, l.outputs, l.kernel, l.stride, l.count, m.seconds * 1e6,
                m.flops / m.seconds * 1e-9, m.flops / m.seconds * 1e-9 / peak * 100,
                m.dense_flops / m.seconds * 1e-9);
    if (options.cold > 0) std::printf(" %9.1f", m.cold_seconds * 1e6);
    std::printf("\n");
    std::fflush(stdout);
  }
  std::printf("all layers, each as often as it occurs: %.1f us", total * 1e6);
  for (int kind = 0; kind < 4; ++kind) {
    if (seconds[kind] == 0) continue;
    std::printf("; %s %.1f us, %.0f %% of peak", kKinds[kind], seconds[kind] * 1e6,
                flops[kind] / seconds[kind] * 1e-9 / peak * 100);
  }
  std::printf("\n");
}

int Main(int argc, char** argv) {
  Options options;
  const Kernels* kernels = nullptr;
  if (Parse(argc, argv, &options)) kernels = FindKernels(options.isa);
  if (kernels == nullptr) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  for (const std::string& path : options.shapes) TimeFile(path, options, *kernels);
  return 0;
}

}  // namespace
}  // namespace sbnn

int main(int argc, char** argv) { return sbnn::Main(argc, argv); }
