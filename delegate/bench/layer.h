// Layers of a shape file, each as a network of one operator with random weights.
#ifndef SBNN_DELEGATE_BENCH_LAYER_H_
#define SBNN_DELEGATE_BENCH_LAYER_H_

#include <memory>
#include <string>
#include <vector>

#include "delegate/engine/network.h"
#include "delegate/engine/ops/depthwise.h"
#include "delegate/format/packed_weights.h"
#include "delegate/kernels/table.h"

namespace sbnn {

// A line of a shape file: conv|dw|fc height width inputs outputs kernel stride [count].
struct Layer {
  std::string op;
  int h, w, inputs, outputs, kernel, stride;
  int count;   // how often it occurs
  bool first;  // of its file
};

// Lines that are empty or begin with # say nothing. In `bazel run` a path counts from the
// workspace.
Status ReadLayers(const std::string& path, std::vector<Layer>* layers);

// Which weights are zero. Depthwise and fully connected layers are dense.
struct Zeros {
  float keep = 1;      // share of the weights of 1x1 convolutions that are kept
  float keep_kxk = 1;  // the same of larger convolutions, but that of a file's first line
  float keep_fc = 1;   // the same of fully connected layers
  int taps = 0;   // if not 0, larger convolutions keep so many taps of a kept kernel, in one of 8
                  // patterns, and lose whole kernels down to keep_kxk
  int group = 4;  // outputs that share their kept inputs
  int block = 1;  // inputs side by side that are kept together, where as many divide them
};

// A layer, ready to run.
struct LayerNetwork {
  Network network;
  Shape input;
  // Of floats: those of a convolution or fully connected layer, or of a depthwise convolution.
  std::shared_ptr<const PackedWeights> packed;
  std::shared_ptr<const DepthwiseWeights> depthwise;
  size_t weight_bytes = 0;
  double flops = 0;        // done in a run
  double dense_flops = 0;  // if no weight were skipped
};

Status MakeNetwork(const Layer& layer, const Zeros& zeros, const Kernels& kernels, int threads,
                   LayerNetwork* made);

// The same layer, quantized.
Status MakeInt8Network(const Layer& layer, const Zeros& zeros, const Kernels& kernels, int threads,
                       LayerNetwork* made);

// A random filter, [outputs][taps][inputs], with zeros where they should be.
std::vector<float> RandomFilter(const Layer& layer, const Zeros& zeros);

}  // namespace sbnn

#endif  // SBNN_DELEGATE_BENCH_LAYER_H_
