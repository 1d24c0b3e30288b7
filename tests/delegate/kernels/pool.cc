// Pools.
#include <algorithm>
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
namespace {

template <typename T>
void TestPool(const KernelRow& row) {
  const Kernels& k = *row.kernels;
  Random random(9);
  for (int width = 1; width <= 3 * k.lanes + 1; ++width) {
    for (int taps : {1, 4, 9}) {
      for (bool average : {false, true}) {
        const int rows = random.Int(1, 4), stride = random.Int(1, 3);
        const size_t row_stride = width + 4;
        std::vector<int32_t> offsets;
        for (int t = 0; t < taps; ++t) {
          offsets.push_back(static_cast<int32_t>(random.Int(0, 2) * row_stride) + random.Int(0, 4));
        }
        const size_t last_pixel = *std::max_element(offsets.begin(), offsets.end()) +
                                  (rows - 1) * stride * row_stride + width - 1;
        const Edge edge = kEdges[random.Int(0, 1)];
        Guarded<T> x(last_pixel + k.lanes, edge);  // a vector that begins at the last pixel
        const std::vector<float> pixels = random.Floats(last_pixel + 1);
        std::fill(x.begin(), x.end(), kNaN);
        std::copy(pixels.begin(), pixels.end(), x.begin());
        // Powers of two, so that products are exact.
        Guarded<T> row_scale(rows, edge), column_scale(width, edge);
        for (T& scale : row_scale) scale = random.Pick<float>({0.25f, 0.5f, 1});
        for (T& scale : column_scale) scale = random.Pick<float>({0.25f, 0.5f, 1});
        const Guarded<int32_t> tap_offset(offsets);
        const Limits limits = random.Pick(kLimits);
        Guarded<T> y(static_cast<size_t>(rows) * width, edge);
        k.pool({x.data(), row_stride, y.data(), static_cast<size_t>(width), rows, width, stride,
                taps, tap_offset.data(), average ? row_scale.data() : nullptr,
                average ? column_scale.data() : nullptr, limits.lo, limits.hi});
        for (int r = 0; r < rows; ++r) {
          for (int i = 0; i < width; ++i) {
            double sum = 0, most = -kInfinity;
            for (int32_t offset : offsets) {
              const float v = x[r * stride * row_stride + offset + i];
              sum += v;
              most = std::max<double>(most, v);
            }
            const double want = average ? sum * row_scale[r] * column_scale[i] : most;
            ASSERT_EQ(y[r * width + i], Clamped(want, limits)) << "row " << r << " pixel " << i;
          }
        }
        ASSERT_TRUE(y.Intact());
      }
    }
  }
}

}  // namespace

void PoolAsTheReference(const KernelRow& row) {
  IsFp16(row) ? TestPool<Float16>(row) : TestPool<float>(row);
}

}  // namespace sbnn
