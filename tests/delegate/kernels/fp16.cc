// Between 16-bit floats and floats.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "delegate/format/float16.h"
#include "delegate/kernels/table.h"
#include "gtest/gtest.h"
#include "tests/delegate/guarded.h"
#include "tests/delegate/kernels/testing.h"
#include "tests/delegate/random.h"

namespace sbnn {

// The float16 numbers of the kernels are those of the plain conversion.
void NarrowAsTheReference(const KernelRow& row) {
  Random random(31);
  std::vector<float> values = {0,     -0.0f, 1e-9f,  -3e-8f,    1e-5f,     65504,
                               65519, 65520, -1e30f, kInfinity, -kInfinity};
  while (values.size() < 5000) {
    values.push_back(
        std::ldexp(static_cast<float>(random.Int(-8388608, 8388608)), random.Int(-50, -5)));
  }
  for (size_t count = 0; count <= 3u * row.kernels->lanes + 1; ++count) {
    for (size_t first = 0; first + count <= values.size(); first += 50 + count) {
      for (Edge edge : kEdges) {
        const Guarded<float> x(
            std::vector<float>(values.begin() + first, values.begin() + first + count), edge);
        Guarded<Float16> y(count, edge);
        row.kernels->narrow(x.data(), y.data(), count);
        for (size_t i = 0; i < count; ++i) ASSERT_EQ(y[i].bits, FloatToFloat16(x[i])) << x[i];
        ASSERT_TRUE(y.Intact());
      }
    }
  }
  std::vector<float> nan(9, kNaN);
  Guarded<Float16> y(nan.size());
  row.kernels->narrow(nan.data(), y.data(), nan.size());
  for (Float16 v : y) ASSERT_TRUE(std::isnan(float{v}));
}

void WidenAsTheReference(const KernelRow& row) {
  std::vector<Float16> all;
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    Float16 number;
    number.bits = static_cast<uint16_t>(bits);
    if (!std::isnan(float{number})) all.push_back(number);
  }
  for (size_t count = 0; count <= 3u * row.kernels->lanes + 1; ++count) {
    for (size_t first = 0; first + count <= all.size(); first += 50 + count) {
      for (Edge edge : kEdges) {
        const Guarded<Float16> x(
            std::vector<Float16>(all.begin() + first, all.begin() + first + count), edge);
        Guarded<float> y(count, edge);
        row.kernels->widen(x.data(), y.data(), count);
        for (size_t i = 0; i < count; ++i) ASSERT_EQ(y[i], float{x[i]});
        ASSERT_TRUE(y.Intact());
      }
    }
  }
  const std::vector<Float16> nan(9, Float16(kNaN));
  Guarded<float> y(nan.size());
  row.kernels->widen(nan.data(), y.data(), nan.size());
  for (float v : y) ASSERT_TRUE(std::isnan(v));
}

}  // namespace sbnn
