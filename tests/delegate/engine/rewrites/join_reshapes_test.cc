#include <memory>
#include <string>
#include <vector>

#include "delegate/engine/network.h"
#include "delegate/engine/ops/activation.h"
#include "delegate/engine/ops/reshape.h"
#include "gtest/gtest.h"
#include "tests/delegate/random.h"
#include "tests/delegate/running.h"

namespace sbnn {
namespace {

// A reshape to the shape that is there already is left out, where somebody is there to read what
// it reads. (What TRANSPOSE does with others is in its own test.)
TEST(JoinReshapes, LeavesOutWhatChangesNothing) {
  Random random(7);
  for (const Shape& shape : std::vector<Shape>{{2, 3, 4, 5}, {2, 15}}) {
    const auto labels = [&](int reshape_reads, int other_reads, const std::vector<int>& outputs) {
      Network network;
      const auto add = [&](bool reshape, int input) {
        if (reshape) {
          network.AddOp(std::make_unique<Reshape>(shape), {input}, 1, "reshape");
        } else {
          network.AddOp(std::make_unique<Activation>(UnaryKind::kHardSwish), {input}, 2, "other");
        }
      };
      const bool reshape_first = reshape_reads == 0;
      add(reshape_first, reshape_first ? reshape_reads : other_reads);
      add(!reshape_first, reshape_first ? other_reads : reshape_reads);
      network.SetInputs({0});
      network.SetOutputs(outputs);
      const Array x = RandomArray(shape, &random);
      for (const Kernels* kernels : AvailableKernels()) {
        const std::vector<Array> found = RunNetwork(&network, {x}, outputs.size(), *kernels, 1);
        for (size_t o = 0; o < outputs.size(); ++o) {
          const bool swished = outputs[o] == 2 || reshape_reads == 2;
          for (size_t i = 0; i < x.data.size(); ++i) {
            const float v = x.data[i];
            const float hard = v * ReferenceClamp(v + 3.0, 0, 6) / 6;
            EXPECT_NEAR(found[o].data[i], swished ? hard : v, 1e-6);
          }
        }
      }
      return Labels(network);
    };
    using Found = std::vector<std::string>;
    EXPECT_EQ(labels(0, 1, {2}), Found({"other"}));
    EXPECT_EQ(labels(0, 1, {2, 1}), Found({"reshape", "other"}));
    EXPECT_EQ(labels(2, 0, {1}), Found({"other", "reshape"}));
    EXPECT_EQ(labels(2, 0, {1, 2}), Found({"other", "reshape"}));
  }
}

}  // namespace
}  // namespace sbnn
