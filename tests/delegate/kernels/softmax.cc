// Softmax of sets that lie in rows, and in columns.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "delegate/kernels/table.h"
#include "gtest/gtest.h"
#include "tests/delegate/guarded.h"
#include "tests/delegate/kernels/testing.h"
#include "tests/delegate/random.h"

namespace sbnn {
namespace {

std::vector<double> Softmax(const std::vector<float>& x, float beta) {
  const double most = *std::max_element(x.begin(), x.end());
  std::vector<double> y;
  double sum = 0;
  for (float value : x) {
    y.push_back(std::exp(beta * (value - most)));
    sum += y.back();
  }
  for (double& value : y) value /= sum;
  return y;
}

// Element i of a set is at(set, i); `room` elements behind the last may be touched.
template <typename At>
void Test(SoftmaxFn kernel, size_t count, size_t sets, size_t stride, size_t room, const At& at,
          Random* random) {
  SCOPED_TRACE(testing::Message() << sets << " sets of " << count);
  const Edge edge = kEdges[random->Int(0, 1)];
  const size_t size = at(sets - 1, count - 1) + 1 + room;
  const float scale = random->Pick<float>({1, 50, 300});
  Guarded<float> x(size, edge), y(size, edge);
  const std::vector<float> from = random->Floats(size);
  std::transform(from.begin(), from.end(), x.begin(), [&](float v) { return scale * v; });
  const float beta = random->Pick<float>({1, 0.5f, 2});
  const bool in_place = random->Int(0, 1) == 1;
  float* const out = in_place ? x.data() : y.data();
  kernel({x.data(), stride, out, stride, count, sets, beta});
  for (size_t set = 0; set < sets; ++set) {
    std::vector<float> values;
    for (size_t i = 0; i < count; ++i) values.push_back(scale * from[at(set, i)]);
    const std::vector<double> want = Softmax(values, beta);
    for (size_t i = 0; i < count; ++i) {
      ASSERT_NEAR(out[at(set, i)], want[i], 2e-7 + 1e-5 * want[i]) << "set " << set << ", " << i;
    }
  }
  ASSERT_TRUE(x.Intact() && y.Intact());
}

}  // namespace

void SoftmaxRowsAsTheReference(const KernelRow& row) {
  Random random(31);
  for (size_t count = 1; count <= 3 * row.kernels->lanes + 1u; ++count) {
    for (size_t sets = 1; sets <= 3; ++sets) {
      const size_t stride = count + random.Int(0, 3);
      const auto at = [&](size_t set, size_t i) { return set * stride + i; };
      Test(row.kernels->softmax_rows, count, sets, stride, 0, at, &random);
    }
  }
}

void SoftmaxColumnsAsTheReference(const KernelRow& row) {
  const size_t lanes = row.kernels->lanes;
  Random random(32);
  for (size_t sets = 1; sets <= 5 * lanes + 1; ++sets) {
    for (size_t count : {1, 2, 7}) {
      const size_t stride = sets + lanes + random.Int(0, 3);
      const auto at = [&](size_t set, size_t i) { return i * stride + set; };
      Test(row.kernels->softmax_columns, count, sets, stride, lanes - 1, at, &random);
    }
  }
}

}  // namespace sbnn
