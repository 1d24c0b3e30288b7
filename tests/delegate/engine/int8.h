// Networks of int8, for tests.
#ifndef SBNN_TESTS_DELEGATE_ENGINE_INT8_H_
#define SBNN_TESTS_DELEGATE_ENGINE_INT8_H_

#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "delegate/engine/network.h"
#include "gtest/gtest.h"
#include "tests/delegate/guarded.h"
#include "tests/delegate/random.h"

namespace sbnn {

struct Int8Array {
  Shape shape;
  std::vector<int8_t> data;
};

inline Int8Array RandomInt8(const Shape& shape, Random* random) {
  Int8Array array{shape, std::vector<int8_t>(ElementCount(shape))};
  for (int8_t& v : array.data) v = static_cast<int8_t>(random->Int(-128, 127));
  return array;
}

inline TensorType Int8Type(float scale, int zero_point) {
  return {ElementType::kInt8, {scale, zero_point}};
}

// Leaves images as they are, in one layout only: whoever is next to it gets that or a conversion.
class Only : public Op {
 public:
  explicit Only(Layout layout) : layout_(layout) {}

  Status InferShape(const std::vector<Shape>& inputs, Shape* output) const override {
    *output = inputs[0];
    return Status();
  }
  TypeUse UseOf(ElementType type, const std::vector<Shape>&) const override {
    return type == ElementType::kInt8 ? TypeUse::kIfGiven : TypeUse::kNever;
  }
  LayoutUse Reads(Layout layout, const std::vector<Shape>&) const override {
    return layout == layout_ ? LayoutUse::kPrefers : LayoutUse::kCannot;
  }
  void Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
           const RunContext&) const override {
    EXPECT_EQ(inputs[0]->layout, output.layout);
    if (LayoutOf(output.shape) == Layout::kPanel) {
      EXPECT_EQ(output.layout, layout_);
    }
    std::memcpy(output.data, inputs[0]->data, output.image_stride * output.images().n);
  }

 private:
  const Layout layout_;
};

// Prepares and runs, twice. Arrays end at unmapped pages. The network has one output.
inline Int8Array RunInt8(Network* network, const std::vector<Int8Array>& inputs,
                         const Kernels& kernels, int threads) {
  std::vector<Shape> shapes;
  for (const Int8Array& input : inputs) shapes.push_back(input.shape);
  const Status status = network->Prepare(shapes, kernels, threads);
  EXPECT_TRUE(status.ok()) << status.message();
  if (!status.ok()) return {};
  std::vector<std::unique_ptr<Guarded<int8_t>>> in;
  std::vector<ConstTensorView> read;
  for (const Int8Array& input : inputs) {
    in.push_back(std::make_unique<Guarded<int8_t>>(input.data));
    read.emplace_back(in.back()->data());
  }
  Guarded<int8_t> y(ElementCount(network->output_shape(0)));
  for (int run = 0; run < 2; ++run) EXPECT_TRUE(network->Run(read, {y.data()}).ok());
  EXPECT_TRUE(y.Intact());
  return {network->output_shape(0), std::vector<int8_t>(y.begin(), y.end())};
}

}  // namespace sbnn

#endif  // SBNN_TESTS_DELEGATE_ENGINE_INT8_H_
