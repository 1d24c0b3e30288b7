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
#include <fstream>
#include <functional>
#include <memory>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "delegate/engine/network.h"
#include "delegate/engine/ops/convolution.h"
#include "delegate/engine/ops/depthwise.h"
#include "delegate/engine/ops/fully_connected.h"

namespace sbnn {
namespace {

constexpr char kUsage[] =
    "layers SHAPES... [options]\n"
    "  SHAPES       lines: conv|dw|fc height width inputs outputs kernel stride [count]\n"
    "  --keep F     share of the weights of 1x1 convolutions that are kept (default 1)\n"
    "  --keep-kxk F the same of larger convolutions, but that of a file's first line (default 1)\n"
    "  --taps T     larger convolutions keep T taps of each kernel, in one of 8 patterns, and "
    "lose\n"
    "               whole kernels down to --keep-kxk\n"
    "  --group G    outputs that share their kept inputs: 1, 2, 4, 8 or 16 (default 4)\n"
    "  --threads N  (default 1)\n"
    "  --rounds N   (default 50)\n"
    "  --cold N     rounds with weights that no cache holds (default 0)\n"
    "  --isa NAME   avx512, avx2, neon or scalar (default: the best there is)\n";

constexpr size_t kLeastCacheLine = 32;  // bytes
constexpr int kPatterns = 8;

struct Options {
  std::vector<std::string> shapes;
  float keep = 1, keep_kxk = 1;
  int taps = 0, group = 4, threads = 1, rounds = 50, cold = 0;
  std::string isa;

  bool Valid() const {
    return !shapes.empty() && keep > 0 && keep <= 1 && keep_kxk > 0 && keep_kxk <= 1 && taps >= 0 &&
           group >= 1 && threads >= 1 && rounds >= 1 && cold >= 0;
  }
};

struct Layer {
  std::string op;
  int h, w, inputs, outputs, kernel, stride, count;
  bool first;
};

// Which of a filter's columns (tap * inputs + input) a group of outputs keeps.
class Columns {
 public:
  // keep: the share kept. taps: 0, or how many of a kept kernel's taps are.
  Columns(int inputs, int taps_of_kernel, float keep, int taps, std::mt19937* random)
      : inputs_(inputs), taps_of_kernel_(taps_of_kernel), taps_(taps), random_(random) {
    order_.resize(taps > 0 ? inputs : inputs * taps_of_kernel);
    for (size_t i = 0; i < order_.size(); ++i) order_[i] = static_cast<int>(i);
    const double share = taps > 0 ? keep * taps_of_kernel / taps : keep;
    kept_ = std::clamp(static_cast<int>(share * order_.size() + 0.5), 1,
                       static_cast<int>(order_.size()));
    std::vector<int> others;
    for (int t = 0; t < taps_of_kernel; ++t)
      if (t != taps_of_kernel / 2) others.push_back(t);
    for (int p = 0; taps > 0 && p < kPatterns; ++p) {
      std::shuffle(others.begin(), others.end(), *random);
      patterns_.emplace_back(others.begin(), others.begin() + (taps - 1));
      patterns_.back().push_back(taps_of_kernel / 2);
    }
  }

  // The columns of the next group.
  std::vector<int> Draw() {
    std::shuffle(order_.begin(), order_.end(), *random_);
    if (taps_ == 0) return {order_.begin(), order_.begin() + kept_};
    std::vector<int> columns;
    for (int k = 0; k < kept_; ++k)
      for (int tap : patterns_[(*random_)() % kPatterns])
        columns.push_back(tap * inputs_ + order_[k]);
    return columns;
  }

 private:
  const int inputs_, taps_of_kernel_, taps_;
  std::mt19937* const random_;
  std::vector<int> order_;
  int kept_;
  std::vector<std::vector<int>> patterns_;
};

// A random filter, [outputs][taps][inputs], with zeros as the options say.
std::vector<float> RandomFilter(const Layer& l, const Options& options, std::mt19937* random) {
  std::normal_distribution<float> normal;
  const int taps = l.kernel * l.kernel, columns = taps * l.inputs;
  const bool larger = taps > 1 && l.op == "conv", dense = l.op == "fc" || l.first;
  const float keep = dense ? 1 : larger ? options.keep_kxk : options.keep;
  const int kept_taps = larger && !dense && keep < 1 && options.taps < taps ? options.taps : 0;
  Columns choice(l.inputs, taps, keep, kept_taps, random);
  std::vector<float> filter(static_cast<size_t>(l.outputs) * columns);
  std::vector<int> kept;
  for (int o = 0; o < l.outputs; ++o) {
    if (o % options.group == 0) kept = choice.Draw();
    for (int column : kept) filter[static_cast<size_t>(o) * columns + column] = normal(*random);
  }
  return filter;
}

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
#endif
  }
#if defined(__x86_64__)
  _mm_mfence();
#elif defined(__aarch64__)
  asm volatile("dsb sy" ::: "memory");
#endif
}

Measured Measure(const Layer& l, const Options& options, const Kernels& kernels) {
  std::mt19937 random(1);
  Window window;
  window.kernel_h = window.kernel_w = l.kernel;
  window.stride_h = window.stride_w = l.stride;
  window.same = true;
  const double pixels =
      static_cast<double>((l.h + l.stride - 1) / l.stride) * ((l.w + l.stride - 1) / l.stride);
  Measured m;
  Network network;
  std::function<void()> evict_weights;
  if (l.op == "dw") {
    auto weights = std::make_shared<DepthwiseWeights>();
    weights->channels = l.outputs;
    weights->taps.assign(static_cast<size_t>(l.outputs) * l.kernel * l.kernel, 0.1f);
    weights->bias.assign(l.outputs, 0.0f);
    m.flops = m.dense_flops = 2.0 * weights->taps.size() * pixels;
    evict_weights = [weights] { Evict(weights->taps); };
    network.AddOp(std::make_unique<Depthwise>(weights, window, 0.0f, 6.0f), {0}, 1);
  } else {
    const std::vector<float> filter = RandomFilter(l, options, &random);
    Constant constant;
    constant.shape = {l.outputs, l.kernel, l.kernel, l.inputs};
    constant.values = filter.data();
    constant.value_count = filter.size();
    auto weights = std::make_shared<PackedWeights>();
    const bool one_vector = l.op == "fc" || (l.h * l.w == 1 && l.kernel == 1);
    Check(
        Pack(constant, nullptr, one_vector ? kOneVectorCost : kernels.column_cost, weights.get()));
    evict_weights = [weights] {
      Evict(weights->values);
      Evict(weights->columns);
    };
    m.flops = 2.0 * (filter.size() - std::count(filter.begin(), filter.end(), 0.0f)) * pixels;
    m.dense_flops = 2.0 * filter.size() * pixels;
    if (l.op == "fc") {
      network.AddOp(std::make_unique<FullyConnected>(weights, false, 0.0f, 6.0f), {0}, 1);
    } else {
      network.AddOp(std::make_unique<Convolution>(weights, window, 0.0f, 6.0f), {0}, 1);
    }
  }
  network.SetInputs({0});
  network.SetOutputs({1});
  const Shape input = l.op == "fc" ? Shape{1, l.inputs} : Shape{1, l.h, l.w, l.inputs};
  Check(network.Prepare({input}, kernels, options.threads));
  std::vector<float> x(ElementCount(input), 0.5f), y(ElementCount(network.output_shape(0)));
  std::vector<double> seconds;
  for (int r = 0; r < options.rounds; ++r) {
    network.Run({x.data()}, {y.data()}, &seconds);
    m.seconds = std::min(m.seconds, seconds[0]);
  }
  for (int r = 0; r < options.cold; ++r) {
    evict_weights();
    network.Run({x.data()}, {y.data()}, &seconds);
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
      options->keep = std::strtof(value, nullptr);
    } else if (arg == "--keep-kxk") {
      options->keep_kxk = std::strtof(value, nullptr);
    } else if (arg == "--taps") {
      options->taps = std::atoi(value);
    } else if (arg == "--group") {
      options->group = std::atoi(value);
    } else if (arg == "--threads") {
      options->threads = std::atoi(value);
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

// The layers of a file; exits if it is none.
std::vector<Layer> ReadShapes(std::string path) {
  // `bazel run` starts in a folder of its own.
  const char* const workspace = std::getenv("BUILD_WORKSPACE_DIRECTORY");
  if (workspace != nullptr && path[0] != '/') path = std::string(workspace) + "/" + path;
  std::ifstream file(path);
  if (!file) Check(Status::Error("no such file: " + path));
  std::vector<Layer> layers;
  std::string line;
  while (std::getline(file, line)) {
    if (line.empty() || line[0] == '#') continue;
    std::istringstream in(line);
    Layer l;
    if (!(in >> l.op >> l.h >> l.w >> l.inputs >> l.outputs >> l.kernel >> l.stride) ||
        (l.op != "conv" && l.op != "dw" && l.op != "fc")) {
      Check(Status::Error("not a layer: " + line));
    }
    if (!(in >> l.count)) l.count = 1;
    l.first = layers.empty();
    layers.push_back(l);
  }
  return layers;
}

void TimeFile(const std::string& path, const Options& options, const Kernels& kernels) {
  const double peak = MeasurePeakGflops(kernels) * options.threads;
  std::printf("\n%s: %s, %d thread(s), peak %.1f GFLOP/s, kept %.0f %% of 1x1, %.0f %% of larger",
              path.c_str(), kernels.isa, options.threads, peak, options.keep * 100,
              options.keep_kxk * 100);
  if (options.taps > 0) std::printf(" (%d taps)", options.taps);
  std::printf(", group %d\n%-4s %4s %4s %5s %5s %2s %1s %3s %9s %9s %6s %13s %9s\n", options.group,
              "", "h", "w", "in", "out", "k", "s", "n", "us", "GFLOP/s", "peak", "dense GFLOP/s",
              options.cold > 0 ? "us, cold" : "");
  // By kind: 1x1, larger, depthwise, fully connected.
  constexpr const char* kKinds[] = {"1x1", "larger", "depthwise", "fully connected"};
  double total = 0, seconds[4] = {}, flops[4] = {};
  for (const Layer& l : ReadShapes(path)) {
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
