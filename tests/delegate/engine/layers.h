// A network and its reference, built layer by layer.
#ifndef SBNN_TESTS_DELEGATE_ENGINE_LAYERS_H_
#define SBNN_TESTS_DELEGATE_ENGINE_LAYERS_H_

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "delegate/engine/network.h"
#include "delegate/engine/ops/convolution.h"
#include "delegate/engine/ops/depthwise.h"
#include "delegate/engine/ops/fully_connected.h"
#include "delegate/engine/ops/pad.h"
#include "delegate/engine/ops/reshape.h"
#include "tests/delegate/engine/cases.h"

namespace sbnn {

class Layers {
 public:
  explicit Layers(unsigned seed) : random_(seed) {}

  // Tensors are numbered as they are made; 0 is the input.
  int Convolve(int from, int inputs, int outputs, const Window& w) {
    const Shape shape = {outputs, w.kernel_h, w.kernel_w, inputs};
    const auto filter = random_.Filter(outputs, ElementCount(shape) / outputs, 4, 0.4);
    const auto bias = random_.Floats(outputs);
    return Add(from,
               std::make_unique<Convolution>(
                   PackAs(filter, shape, bias, RandomKind(&random_), true), w, 0, 6),
               [=](const Array& x) { return ReferenceConvolution(x, filter, bias, w, 0, 6); });
  }
  int DepthwiseConvolve(int from, int channels, const Window& w) {
    auto weights = std::make_shared<DepthwiseWeights>();
    weights->channels = channels;
    weights->taps = random_.Floats(static_cast<size_t>(channels) * w.kernel_h * w.kernel_w);
    weights->bias = random_.Floats(channels);
    return Add(from, std::make_unique<Depthwise>(weights, w, 0, 6), [=](const Array& x) {
      return ReferenceDepthwise(x, weights->taps, 1, weights->bias, w, 0, 6);
    });
  }
  int Padded(int from, const Margin& m) {
    return Add(from, std::make_unique<Pad>(m), [=](const Array& x) { return ReferencePad(x, m); });
  }
  int Flattened(int from, int features) {
    return Add(from, std::make_unique<Reshape>(Shape{-1, features}), [=](const Array& x) {
      return Array({static_cast<int>(x.data.size()) / features, features}, x.data);
    });
  }
  int Dense(int from, int inputs, int outputs) {
    const auto filter = random_.Filter(outputs, inputs, 4, 0.4);
    const auto bias = random_.Floats(outputs);
    return Add(from,
               std::make_unique<FullyConnected>(PackAs(filter, {outputs, inputs}, bias, 4, true),
                                                false, -kInfinity, kInfinity),
               [=](const Array& x) {
                 return Array({x.shape[0], outputs},
                              ReferenceFullyConnected(x.data, filter, bias, -kInfinity, kInfinity));
               });
  }

  void Outputs(const std::vector<int>& outputs) {
    outputs_ = outputs;
    network_.SetInputs({0});
    network_.SetOutputs(outputs);
  }

  void Expect(const Shape& input) {
    SCOPED_TRACE(testing::PrintToString(input));
    const Array x = RandomArray(input, &random_);
    std::vector<Array> values = {x}, want;
    for (const Step& step : steps_) values.push_back(step.second(values[step.first]));
    for (int t : outputs_) want.push_back(values[t]);
    ExpectEverywhere(&network_, {x}, want);
  }

  Network& network() { return network_; }

 private:
  using Step = std::pair<int, std::function<Array(const Array&)>>;

  int Add(int from, std::unique_ptr<Op> op, std::function<Array(const Array&)> reference) {
    steps_.push_back({from, std::move(reference)});
    const int to = static_cast<int>(steps_.size());
    network_.AddOp(std::move(op), {from}, to);
    return to;
  }

  Random random_;
  Network network_;
  std::vector<Step> steps_;
  std::vector<int> outputs_;
};

// A stem, two separable blocks, a head: the shape of MobileNet-v1, small integers throughout.
inline void BuildSmallNetwork(Layers* layers) {
  int t = layers->Padded(0, {0, 1, 0, 1});
  t = layers->Convolve(t, 3, 8, MakeWindow(3, 2, false));
  t = layers->DepthwiseConvolve(t, 8, MakeWindow(3, 1, true));
  t = layers->Convolve(t, 8, 12, MakeWindow(1, 1, true));
  t = layers->Padded(t, {0, 1, 0, 1});
  t = layers->DepthwiseConvolve(t, 12, MakeWindow(3, 2, false));
  const int last = layers->Convolve(t, 12, 20, MakeWindow(1, 1, true));
  layers->Outputs({last});
}

}  // namespace sbnn

#endif  // SBNN_TESTS_DELEGATE_ENGINE_LAYERS_H_
