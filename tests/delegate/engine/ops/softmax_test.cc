#include <memory>
#include <vector>

#include "delegate/engine/ops/softmax.h"
#include "gtest/gtest.h"
#include "tests/delegate/random.h"
#include "tests/delegate/reference.h"
#include "tests/delegate/running.h"

namespace sbnn {
namespace {

TEST(Softmax, Rows) {
  Random random(11);
  for (const Shape& shape : std::vector<Shape>{{1, 10},
                                               {3, 17},
                                               {5},
                                               {2, 3, 4},
                                               {2, 1, 1, 6},
                                               {2, 5, 7, 6},
                                               {2, 17, 31, 5},
                                               {700, 9}}) {
    for (float beta : {1.0f, 0.5f}) {
      Array x = RandomArray(shape, &random);
      for (float& v : x.data)
        v *= 30;  // beyond what exp can take, unless the largest is subtracted
      Network network;
      network.AddOp(std::make_unique<Softmax>(beta), {0}, 1);
      network.SetInputs({0});
      network.SetOutputs({1});
      const std::vector<float> want = ReferenceSoftmax(x.data, shape.back(), beta);
      for (const Kernels* kernels : AvailableKernels()) {
        for (int threads : {1, 3}) {
          const Array found = RunNetwork(&network, {x}, 1, *kernels, threads)[0];
          ASSERT_EQ(found.shape, shape);
          for (size_t i = 0; i < want.size(); ++i) ASSERT_NEAR(found.data[i], want[i], 1e-6);
        }
      }
    }
  }
}

}  // namespace
}  // namespace sbnn
