// Times the layers of a network one at a time in the engine, without TensorFlow Lite.
//
//   bazel run //delegate/bench:layers -- delegate/bench/shapes/mobilenet_v1.txt [options]
//
// A line a layer: microseconds (minimum), GFLOP/s of the work done, its share of the FMA peak that
// is measured in the same run, and GFLOP/s if the zeros are counted as work.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "delegate/engine/network.h"
#include "delegate/engine/ops/convolution.h"
#include "delegate/engine/ops/depthwise.h"

namespace sbnn {
namespace {

constexpr char kUsage[] =
    "layers SHAPES [--keep F] [--group G] [--threads N] [--rounds N] [--isa NAME]\n"
    "  SHAPES     lines: conv|dw height width inputs outputs kernel stride\n"
    "  --keep     share of the weights of 1x1 convolutions that are kept (default 1)\n"
    "  --group    outputs that share their kept inputs: 1, 2, 4, 8 or 16 (default 4)\n";

struct Layer {
  std::string op;
  int h, w, inputs, outputs, kernel, stride;
};

// A random filter, [outputs][taps][inputs], zero in all but `keep` of the columns of each group.
std::vector<float> RandomFilter(const Layer& l, float keep, int group, std::mt19937* random) {
  std::normal_distribution<float> normal;
  const int taps = l.kernel * l.kernel, columns = taps * l.inputs;
  std::vector<float> filter(static_cast<size_t>(l.outputs) * columns);
  std::vector<int> order(columns);
  for (int i = 0; i < columns; ++i) order[i] = i;
  for (int o = 0; o < l.outputs; ++o) {
    if (o % group == 0) std::shuffle(order.begin(), order.end(), *random);
    const int kept = std::max(1, static_cast<int>(keep * columns + 0.5f));
    for (int k = 0; k < kept; ++k)
      filter[static_cast<size_t>(o) * columns + order[k]] = normal(*random);
  }
  return filter;
}

struct Measured {
  double seconds;
  double flops;        // done
  double dense_flops;  // if nothing were skipped
};

Measured Measure(const Layer& l, float keep, int group, const Kernels& kernels, int threads,
                 int rounds) {
  std::mt19937 random(1);
  Window window;
  window.kernel_h = window.kernel_w = l.kernel;
  window.stride_h = window.stride_w = l.stride;
  window.same = true;
  const double pixels =
      static_cast<double>((l.h + l.stride - 1) / l.stride) * ((l.w + l.stride - 1) / l.stride);
  Measured m{1e9, 0, 0};
  Network network;
  if (l.op == "dw") {
    auto weights = std::make_shared<DepthwiseWeights>();
    weights->channels = l.outputs;
    weights->taps.assign(static_cast<size_t>(l.outputs) * l.kernel * l.kernel, 0.1f);
    weights->bias.assign(l.outputs, 0.0f);
    m.flops = m.dense_flops = 2.0 * weights->taps.size() * pixels;
    network.AddOp(std::make_unique<Depthwise>(weights, window, 0.0f, 6.0f), {0}, 1);
  } else {
    if (l.kernel > 1) keep = 1;
    const std::vector<float> filter = RandomFilter(l, keep, group, &random);
    Constant constant;
    constant.shape = {l.outputs, l.kernel, l.kernel, l.inputs};
    constant.values = filter.data();
    constant.value_count = filter.size();
    auto weights = std::make_shared<PackedWeights>();
    const Status status = Pack(constant, nullptr, kernels.column_cost, weights.get());
    if (!status.ok()) {
      std::fprintf(stderr, "%s\n", status.message().c_str());
      std::exit(2);
    }
    m.flops = 2.0 * weights->values.size() * pixels;
    m.dense_flops = 2.0 * filter.size() * pixels;
    network.AddOp(std::make_unique<Convolution>(weights, window, 0.0f, 6.0f), {0}, 1);
  }
  network.SetInputs({0});
  network.SetOutputs({1});
  const Status status = network.Prepare({{1, l.h, l.w, l.inputs}}, kernels, threads);
  if (!status.ok()) {
    std::fprintf(stderr, "%s\n", status.message().c_str());
    std::exit(2);
  }
  std::vector<float> x(ElementCount({l.h, l.w, l.inputs}), 0.5f),
      y(ElementCount(network.output_shape(0)));
  std::vector<double> seconds;
  for (int r = 0; r < rounds; ++r) {
    network.Run({x.data()}, {y.data()}, &seconds);
    m.seconds = std::min(m.seconds, seconds[0]);
  }
  return m;
}

int Main(int argc, char** argv) {
  float keep = 1;
  int group = 4, threads = 1, rounds = 50;
  std::string shapes, isa;
  for (int i = 1; i < argc; ++i) {
    const std::string arg = argv[i];
    const char* value = i + 1 < argc ? argv[i + 1] : "";
    if (arg.rfind("--", 0) != 0) {
      shapes = arg;
      continue;
    }
    ++i;
    if (arg == "--keep") {
      keep = std::strtof(value, nullptr);
    } else if (arg == "--group") {
      group = std::atoi(value);
    } else if (arg == "--threads") {
      threads = std::atoi(value);
    } else if (arg == "--rounds") {
      rounds = std::atoi(value);
    } else if (arg == "--isa") {
      isa = value;
    } else {
      std::fputs(kUsage, stderr);
      return 2;
    }
  }
  // `bazel run` starts in a folder of its own.
  const char* const workspace = std::getenv("BUILD_WORKSPACE_DIRECTORY");
  if (workspace != nullptr && !shapes.empty() && shapes[0] != '/')
    shapes = std::string(workspace) + "/" + shapes;
  std::ifstream file(shapes);
  const Kernels* const kernels = FindKernels(isa);
  if (!file || kernels == nullptr || keep <= 0 || keep > 1 || group < 1 || threads < 1 ||
      rounds < 1) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  const double peak = MeasurePeakGflops(*kernels) * threads;
  std::printf("%s, %d thread(s), peak %.1f GFLOP/s, %.0f %% kept, group %d\n", kernels->isa,
              threads, peak, keep * 100, group);
  std::printf("%-4s %4s %4s %5s %5s %1s %1s %9s %9s %6s %12s\n", "", "h", "w", "in", "out", "k",
              "s", "us", "GFLOP/s", "peak", "dense GFLOP/s");
  double total = 0, total_conv = 0, flops_conv = 0;
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream in(line);
    Layer l;
    if (line.empty() || line[0] == '#') continue;
    if (!(in >> l.op >> l.h >> l.w >> l.inputs >> l.outputs >> l.kernel >> l.stride)) {
      std::fprintf(stderr, "not a layer: %s\n", line.c_str());
      return 2;
    }
    const Measured m = Measure(l, keep, group, *kernels, threads, rounds);
    total += m.seconds;
    if (l.op == "conv" && l.kernel == 1) {
      total_conv += m.seconds;
      flops_conv += m.flops;
    }
    std::printf("%-4s %4d %4d %5d %5d %1d %1d %9.1f %9.1f %5.0f%% %12.1f\n", l.op.c_str(), l.h, l.w,
                l.inputs, l.outputs, l.kernel, l.stride, m.seconds * 1e6,
                m.flops / m.seconds * 1e-9, m.flops / m.seconds * 1e-9 / peak * 100,
                m.dense_flops / m.seconds * 1e-9);
  }
  std::printf("all %.1f us; 1x1 convolutions %.1f us, %.0f %% of peak\n", total * 1e6,
              total_conv * 1e6, flops_conv / total_conv * 1e-9 / peak * 100);
  return 0;
}

}  // namespace
}  // namespace sbnn

int main(int argc, char** argv) { return sbnn::Main(argc, argv); }
