#include "tests/delegate/running.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "gtest/gtest.h"
#include "tests/delegate/guarded.h"

namespace sbnn {

std::vector<Array> RunNetwork(Network* network, const std::vector<Array>& inputs, size_t outputs,
                              const Kernels& kernels, int threads, bool allow_fp16) {
  std::vector<Shape> shapes;
  for (const Array& input : inputs) shapes.push_back(input.shape);
  const Status status = network->Prepare(shapes, kernels, threads, allow_fp16);
  EXPECT_TRUE(status.ok()) << status.message();
  if (!status.ok()) return std::vector<Array>(outputs);

  std::vector<std::unique_ptr<Guarded<float>>> in, out;
  std::vector<ConstTensorView> in_data;
  std::vector<TensorView> out_data;
  for (const Array& input : inputs) {
    in.push_back(std::make_unique<Guarded<float>>(std::vector<float>(input.data.size(), kNaN)));
    in_data.push_back(in.back()->data());
  }
  for (size_t i = 0; i < outputs; ++i) {
    out.push_back(std::make_unique<Guarded<float>>(ElementCount(network->output_shape(i))));
    out_data.push_back(out.back()->data());
  }
  EXPECT_TRUE(network->Run(in_data, out_data).ok());
  for (size_t i = 0; i < inputs.size(); ++i) {
    std::copy(inputs[i].data.begin(), inputs[i].data.end(), in[i]->begin());
  }
  EXPECT_TRUE(network->Run(in_data, out_data).ok());

  std::vector<Array> results;
  for (size_t i = 0; i < outputs; ++i) {
    EXPECT_TRUE(out[i]->Intact());
    results.emplace_back(network->output_shape(i),
                         std::vector<float>(out[i]->begin(), out[i]->end()));
  }
  for (size_t i = 0; i < inputs.size(); ++i) {
    EXPECT_TRUE(in[i]->Intact());
    if (inputs[i].data.empty()) continue;
    EXPECT_EQ(std::memcmp(in[i]->data(), inputs[i].data.data(), 4 * in[i]->size()), 0)
        << "an input was changed";
  }
  return results;
}

void ExpectSame(const Array& found, const Array& want) {
  ASSERT_EQ(found.shape, want.shape);
  ASSERT_EQ(found.data.size(), want.data.size());
  for (size_t i = 0; i < want.data.size(); ++i) {
    if (std::isnan(want.data[i])) {
      ASSERT_TRUE(std::isnan(found.data[i])) << "element " << i << " is " << found.data[i];
    } else {
      ASSERT_EQ(found.data[i], want.data[i])
          << "element " << i << " of " << testing::PrintToString(want.shape);
    }
  }
}

void ExpectNear(const Array& found, const Array& want) {
  ASSERT_EQ(found.shape, want.shape);
  float largest = 1;
  for (float v : want.data) {
    if (std::isfinite(v)) largest = std::max(largest, std::fabs(v));
  }
  if (largest > 60000) return;  // too large for float16
  for (size_t i = 0; i < want.data.size(); ++i) {
    if (std::isnan(want.data[i])) {
      ASSERT_TRUE(std::isnan(found.data[i])) << "element " << i << " is " << found.data[i];
    } else if (std::isinf(want.data[i])) {
      ASSERT_EQ(found.data[i], want.data[i]) << "element " << i;
    } else {
      ASSERT_NEAR(found.data[i], want.data[i], 4e-3 * largest)
          << "element " << i << " of " << testing::PrintToString(want.shape);
    }
  }
}

void ExpectEverywhere(Network* network, const std::vector<Array>& inputs,
                      const std::vector<Array>& want) {
  for (const Kernels* kernels : AvailableKernels()) {
    for (int threads : kThreads) {
      SCOPED_TRACE(testing::Message() << kernels->isa << ", " << threads << " threads");
      const std::vector<Array> found = RunNetwork(network, inputs, want.size(), *kernels, threads);
      for (size_t i = 0; i < want.size(); ++i) {
        ExpectSame(found[i], want[i]);
        if (testing::Test::HasFatalFailure()) return;
      }
      if (KernelsFor(*kernels, ElementType::kFloat16) == nullptr) continue;
      SCOPED_TRACE("in float16");
      const std::vector<Array> near =
          RunNetwork(network, inputs, want.size(), *kernels, threads, true);
      for (size_t i = 0; i < want.size(); ++i) {
        ExpectNear(near[i], want[i]);
        if (testing::Test::HasFatalFailure()) return;
      }
    }
  }
}

void ExpectEverywhere(std::unique_ptr<Op> op, const Array& input, const Array& want) {
  Network network;
  network.AddOp(std::move(op), {0}, 1);
  network.SetInputs({0});
  network.SetOutputs({1});
  ExpectEverywhere(&network, {input}, {want});
}

std::vector<std::string> Labels(const Network& network) {
  std::vector<std::string> labels;
  for (Network::StepInfo& step : network.Steps()) labels.push_back(std::move(step.label));
  return labels;
}

std::string Refusal(std::unique_ptr<Op> op, const Shape& shape) {
  Network network;
  network.AddOp(std::move(op), {0}, 1);
  network.SetInputs({0});
  network.SetOutputs({1});
  return network.Prepare({shape}, *AvailableKernels().front(), 1).message();
}

}  // namespace sbnn
