#include "delegate/bench/layer.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <sstream>
#include <utility>

#include "delegate/engine/ops/convolution.h"
#include "delegate/engine/ops/fully_connected.h"

namespace sbnn {
namespace {

constexpr int kPatterns = 8;

// Which of a filter's columns (tap * inputs + input) a group of outputs keeps.
class Columns {
 public:
  // keep: the share kept. taps: 0, or how many of a kept kernel's taps are. block: columns that are
  // kept together.
  Columns(int inputs, int taps_of_kernel, float keep, int taps, int block, std::mt19937* random)
      : inputs_(inputs), taps_(taps), block_(block), random_(random) {
    order_.resize(taps > 0 ? inputs : inputs * taps_of_kernel / block);
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
    std::vector<int> columns;
    if (taps_ == 0) {
      for (int k = 0; k < kept_; ++k)
        for (int i = 0; i < block_; ++i) columns.push_back(order_[k] * block_ + i);
      return columns;
    }
    for (int k = 0; k < kept_; ++k)
      for (int tap : patterns_[(*random_)() % kPatterns])
        columns.push_back(tap * inputs_ + order_[k]);
    return columns;
  }

 private:
  const int inputs_, taps_, block_;
  std::mt19937* const random_;
  std::vector<int> order_;
  int kept_;
  std::vector<std::vector<int>> patterns_;
};

}  // namespace

std::vector<float> RandomFilter(const Layer& l, const Zeros& zeros) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  const int taps = l.kernel * l.kernel, columns = taps * l.inputs;
  const bool larger = taps > 1 && l.op == "conv";
  const float keep = l.op == "fc" ? zeros.keep_fc
                     : l.first    ? 1
                     : larger     ? zeros.keep_kxk
                                  : zeros.keep;
  const int kept_taps = larger && !l.first && keep < 1 && zeros.taps < taps ? zeros.taps : 0;
  const int block = kept_taps == 0 && l.inputs % zeros.block == 0 ? zeros.block : 1;
  Columns choice(l.inputs, taps, keep, kept_taps, block, &random);
  std::vector<float> filter(static_cast<size_t>(l.outputs) * columns);
  std::vector<int> kept;
  for (int o = 0; o < l.outputs; ++o) {
    if (o % zeros.group == 0) kept = choice.Draw();
    for (int column : kept) filter[static_cast<size_t>(o) * columns + column] = normal(random);
  }
  return filter;
}

Status ReadLayers(const std::string& path, std::vector<Layer>* layers) {
  // `bazel run` starts in a folder of its own.
  const char* const workspace = std::getenv("BUILD_WORKSPACE_DIRECTORY");
  const bool relative = workspace != nullptr && !path.empty() && path[0] != '/';
  const std::string name = relative ? std::string(workspace) + "/" + path : path;
  // (WebAssembly's library has no file streams.)
  std::FILE* const file = std::fopen(name.c_str(), "r");
  if (file == nullptr) return Status::Error("no such file: " + path);
  std::string text;
  char buffer[4096];
  while (const size_t size = std::fread(buffer, 1, sizeof(buffer), file)) text.append(buffer, size);
  std::fclose(file);
  std::istringstream lines(text);
  std::string line;
  while (std::getline(lines, line)) {
    if (line.empty() || line[0] == '#') continue;
    std::istringstream in(line);
    Layer l;
    if (!(in >> l.op >> l.h >> l.w >> l.inputs >> l.outputs >> l.kernel >> l.stride) ||
        (l.op != "conv" && l.op != "dw" && l.op != "fc")) {
      return Status::Error("not a layer: " + line);
    }
    if (!(in >> l.count)) l.count = 1;
    l.first = layers->empty();
    layers->push_back(l);
  }
  return Status();
}

Status MakeNetwork(const Layer& l, const Zeros& zeros, const Kernels& kernels, int threads,
                   LayerNetwork* made) {
  Window window;
  window.kernel_h = window.kernel_w = l.kernel;
  window.stride_h = window.stride_w = l.stride;
  window.same = true;
  const double pixels =
      static_cast<double>((l.h + l.stride - 1) / l.stride) * ((l.w + l.stride - 1) / l.stride);
  Network& network = made->network;
  if (l.op == "dw") {
    auto weights = std::make_shared<DepthwiseWeights>();
    weights->channels = l.outputs;
    weights->taps.assign(static_cast<size_t>(l.outputs) * l.kernel * l.kernel, 0.1f);
    weights->bias.assign(l.outputs, 0.0f);
    made->depthwise = weights;
    made->weight_bytes = weights->taps.size() * sizeof(float);
    made->flops = made->dense_flops = 2.0 * weights->taps.size() * pixels;
    network.AddOp(std::make_unique<Depthwise>(weights, window, 0.0f, 6.0f), {0}, 1);
  } else {
    const std::vector<float> filter = RandomFilter(l, zeros);
    Constant constant;
    constant.shape = {l.outputs, l.kernel, l.kernel, l.inputs};
    constant.values = filter.data();
    constant.value_count = filter.size();
    auto weights = std::make_shared<PackedWeights>();
    const size_t least = l.op == "fc" ? FullyConnected::kLeastRows : 2;
    const bool one_vector = static_cast<size_t>(l.h) * l.w < least && l.kernel == 1;
    const Status status =
        Pack(constant, nullptr, one_vector ? kOneVectorCost : kernels.column_cost, weights.get());
    if (!status.ok()) return status;
    made->packed = weights;
    made->weight_bytes = weights->bytes();
    made->flops = 2.0 * (filter.size() - std::count(filter.begin(), filter.end(), 0.0f)) * pixels;
    made->dense_flops = 2.0 * filter.size() * pixels;
    if (l.op == "fc") {
      network.AddOp(std::make_unique<FullyConnected>(weights, false, 0.0f, 6.0f), {0}, 1);
    } else {
      network.AddOp(std::make_unique<Convolution>(weights, window, 0.0f, 6.0f), {0}, 1);
    }
  }
  network.SetInputs({0});
  network.SetOutputs({1});
  made->input = l.op == "fc" ? Shape{l.h * l.w, l.inputs} : Shape{1, l.h, l.w, l.inputs};
  return network.Prepare({made->input}, kernels, threads);
}

}  // namespace sbnn
