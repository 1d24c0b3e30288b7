// Pools.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
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

struct DirectCase {
  int kernel, stride;
  int in_h, in_w, out_h, out_w;
  int pad_top, pad_left;
};

// Rows [cuts[i], cuts[i + 1]) are a call, which writes these and no others.
template <typename T>
void RunDirect(PoolDirectFn pool, const DirectCase& c, bool average, const std::vector<int>& cuts,
               Edge edge, Random* random) {
  const int channels = random->Int(1, 3);
  const size_t in_pixels = static_cast<size_t>(c.in_h) * c.in_w;
  const size_t out_pixels = static_cast<size_t>(c.out_h) * c.out_w;
  constexpr size_t before = kMaxLanes, behind = 2 * kMaxLanes;
  const size_t x_stride = in_pixels + before + behind + random->Int(0, 3);
  const size_t y_stride = out_pixels + random->Int(0, 3);
  Guarded<T> x(before + (channels - 1) * x_stride + in_pixels + behind, edge);
  std::fill(x.begin(), x.end(), kNaN);  // the room is read and ignored
  const T* const first_plane = x.data() + before;
  for (int n = 0; n < channels; ++n) {
    const std::vector<float> plane = random->Floats(in_pixels);
    std::copy(plane.begin(), plane.end(), x.begin() + before + n * x_stride);
  }
  Guarded<T> y((channels - 1) * y_stride + out_pixels, edge);
  // Powers of two, so that products are exact.
  Guarded<T> row_scale(c.out_h, edge), column_scale(c.out_w + kMaxLanes - 1, edge);
  for (T& scale : row_scale) scale = random->Pick<float>({0.25f, 0.5f, 1});
  for (T& scale : column_scale) scale = random->Pick<float>({0.25f, 0.5f, 1});
  const Limits limits = random->Pick(kLimits);
  const float outside = random->Chance(0.5) ? 0 : -kInfinity;

  std::vector<bool> done(c.out_h, false);
  for (size_t part = 0; part + 1 < cuts.size(); ++part) {
    PoolDirectArgs a{};
    a.x = first_plane;
    a.x_stride = x_stride;
    a.in_h = c.in_h;
    a.in_w = c.in_w;
    a.y = y.data();
    a.y_stride = y_stride;
    a.out_w = c.out_w;
    a.first_row = cuts[part];
    a.end_row = cuts[part + 1];
    a.channels = channels;
    a.pad_top = c.pad_top;
    a.pad_left = c.pad_left;
    a.row_scale = average ? row_scale.data() : nullptr;
    a.column_scale = average ? column_scale.data() : nullptr;
    a.outside = outside;
    a.lo = limits.lo;
    a.hi = limits.hi;
    pool(a);
    std::fill(done.begin() + a.first_row, done.begin() + a.end_row, true);
    for (size_t i = 0; i < y.size(); ++i) {
      const size_t channel = i / y_stride, pixel = i % y_stride;
      const int row = static_cast<int>(pixel / c.out_w), column = static_cast<int>(pixel % c.out_w);
      if (pixel >= out_pixels || !done[row]) {
        ASSERT_TRUE(y.Untouched(i)) << channel << ", " << row << ", " << column;
        continue;
      }
      double sum = 0, most = -kInfinity;
      for (int t = 0; t < c.kernel * c.kernel; ++t) {
        const int sy = row * c.stride + t / c.kernel - c.pad_top;
        const int sx = column * c.stride + t % c.kernel - c.pad_left;
        const bool inside = sy >= 0 && sy < c.in_h && sx >= 0 && sx < c.in_w;
        double v = outside;
        if (inside) sum += v = first_plane[channel * x_stride + sy * c.in_w + sx];
        most = std::max(most, v);
      }
      const double want = average ? sum * row_scale[row] * column_scale[column] : most;
      ASSERT_EQ(y[i], Clamped(want, limits)) << channel << ", " << row << ", " << column;
    }
  }
  ASSERT_TRUE(y.Intact());
}

template <typename T>
void TestPoolDirect(const KernelRow& row) {
  const Kernels& k = *row.kernels;
  const int kernel = row.name.find("2x2") != std::string::npos ? 2 : 3;
  const int stride = row.name.find("s1") != std::string::npos ? 1 : 2;
  const PoolDirectFn pool = k.pool_direct[kernel == 2 ? 0 : stride];
  Random random(5);
  for (int in_w = 1; in_w <= stride * (3 * k.lanes + 1); in_w += in_w < 20 ? 1 : 3) {
    for (int in_h : {1, 2, 3, 4, 5, 8, 13}) {
      // Mostly what SAME and VALID give; now and then a wide margin that a PAD left.
      const int widest = random.Chance(0.2) ? kMaxLanes : 1;
      const int pad_top = random.Int(0, widest), pad_left = random.Int(0, widest);
      const int reach_h = in_h + pad_top + random.Int(0, widest) - kernel;
      const int reach_w = in_w + pad_left + random.Int(0, widest) - kernel;
      if (reach_h < 0 || reach_w < 0) continue;
      const DirectCase c{kernel,  stride,  in_h, in_w, reach_h / stride + 1, reach_w / stride + 1,
                         pad_top, pad_left};
      std::vector<int> cuts = {0};
      while (cuts.back() < c.out_h) {
        cuts.push_back(std::min(c.out_h, cuts.back() + random.Int(1, 9)));
      }
      SCOPED_TRACE(testing::Message() << "image " << in_h << " x " << in_w << " pads " << pad_top
                                      << ' ' << pad_left << ", " << c.out_h << " x " << c.out_w
                                      << " parts " << testing::PrintToString(cuts));
      for (bool average : {false, true}) {
        RunDirect<T>(pool, c, average, cuts, kEdges[random.Int(0, 1)], &random);
        if (testing::Test::HasFatalFailure()) return;
      }
    }
  }
}

}  // namespace

void PoolAsTheReference(const KernelRow& row) {
  IsFp16(row) ? TestPool<Float16>(row) : TestPool<float>(row);
}

void PoolDirectAsTheReference(const KernelRow& row) {
  IsFp16(row) ? TestPoolDirect<Float16>(row) : TestPoolDirect<float>(row);
}

}  // namespace sbnn
