#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>
#include <vector>

#include "delegate/bench/layer.h"
#include "delegate/engine/ops/int8/convolution.h"
#include "delegate/engine/ops/int8/depthwise.h"
#include "delegate/engine/ops/int8/fully_connected.h"
#include "delegate/engine/ops/int8/gathered_convolution.h"
#include "delegate/kernels/int8/table.h"

namespace sbnn {
namespace {

// Of the filter, numbers of the same sign that are no more than 127, zero where it is.
std::vector<int8_t> Quantized(const std::vector<float>& filter) {
  std::vector<int8_t> values;
  for (float x : filter) {
    values.push_back(static_cast<int8_t>(
        std::clamp(std::copysign(1 + std::fabs(x) * 30, x), -127.0f, 127.0f) * (x != 0 ? 1 : 0)));
  }
  return values;
}

constexpr Quantization kQuantization = {0.05f, -3};
constexpr float kScale = 0.01f;

// Has a depthwise convolution write quads, as in front of blocks: what reads them takes one pixel.
void ReadQuads(const Layer& l, int* output, Network* network) {
  Window window;
  window.kernel_h = window.kernel_w = 1;
  window.stride_h = window.stride_w = l.h;
  window.same = true;
  Int8DepthwiseWeights weights;
  weights.channels = l.outputs;
  weights.taps.assign(l.outputs, 1);
  weights.bias.assign(l.outputs, 0);
  weights.scale.assign(l.outputs, kScale);
  network->AddOp(std::make_unique<Int8Depthwise>(std::move(weights), window, QuantizedLimits()),
                 {*output}, *output + 1);
  ++*output;
}

}  // namespace

// As the translation makes operators of layers (delegate/translation/ops/int8_convolution.cc).
Status MakeInt8Network(const Layer& l, const Zeros& zeros, const Kernels& kernels, int threads,
                       LayerNetwork* made) {
  Window window;
  window.kernel_h = window.kernel_w = l.kernel;
  window.stride_h = window.stride_w = l.stride;
  window.same = true;
  const QuantizedLimits limits;
  Network& network = made->network;
  int output = 1;
  const int taps = l.kernel * l.kernel;
  if (l.op == "dw") {
    Int8DepthwiseWeights weights;
    weights.channels = l.outputs;
    weights.taps.assign(static_cast<size_t>(l.outputs) * taps, 3);
    weights.bias.assign(l.outputs, 0);
    weights.scale.assign(l.outputs, kScale);
    made->weight_bytes = weights.taps.size();
    network.AddOp(std::make_unique<Int8Depthwise>(std::move(weights), window, limits), {0}, 1);
    if (zeros.block > 1) ReadQuads(l, &output, &network);
  } else {
    const std::vector<int8_t> values = Quantized(RandomFilter(l, zeros));
    const bool row = l.op == "fc" || (l.kernel == 1 && l.h * l.w == 1);
    const bool gathered = !row && l.inputs <= kQuad && taps > 1;
    Constant constant;
    constant.type = ElementType::kInt8;
    constant.shape = row || gathered ? std::vector<int>{l.outputs, taps * l.inputs}
                                     : std::vector<int>{l.outputs, l.kernel, l.kernel, l.inputs};
    constant.values = values.data();
    constant.value_count = values.size();
    Int8Cost cost = row ? kInt8VectorCost : int8::KernelsOf(kernels.isa)->cost;
    if (gathered) std::fill(std::begin(cost.columns), std::end(cost.columns), 0.0f);
    Int8Outputs outputs;
    outputs.bias.assign(l.outputs, 0);
    outputs.scale.assign(l.outputs, kScale);
    auto weights = std::make_shared<Int8Weights>();
    const Status status = Pack(constant, outputs, cost, weights.get());
    if (!status.ok()) return status;
    made->weight_bytes = weights->bytes();
    std::unique_ptr<Op> op;
    if (row) {
      op = std::make_unique<Int8FullyConnected>(weights, l.op != "fc", limits);
    } else if (gathered) {
      op = std::make_unique<Int8GatheredConvolution>(weights, l.inputs, window, limits);
    } else {
      op = std::make_unique<Int8Convolution>(weights, window, limits);
    }
    network.AddOp(std::move(op), {0}, 1);
  }
  for (int tensor = 0; tensor <= output; ++tensor) {
    network.SetType(tensor, {ElementType::kInt8, kQuantization});
  }
  network.SetInputs({0});
  network.SetOutputs({output});
  made->input = l.op == "fc" ? Shape{l.h * l.w, l.inputs} : Shape{1, l.h, l.w, l.inputs};
  return network.Prepare({made->input}, kernels, threads);
}

}  // namespace sbnn
