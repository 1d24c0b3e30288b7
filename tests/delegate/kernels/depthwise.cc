// Depthwise convolutions.
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
void TestDepthwise(const KernelRow& row) {
  const Kernels& k = *row.kernels;
  Random random(3);
  for (int width = 1; width <= 3 * k.lanes + 1; ++width) {
    for (int taps : {1, 3, 9, 25}) {
      const int rows = random.Int(1, 4), stride = random.Int(1, 3);
      const size_t room = k.lanes - 1;  // a vector that begins at the last pixel
      const size_t row_stride = width + 4;
      std::vector<int32_t> offsets;
      for (int t = 0; t < taps; ++t) {
        offsets.push_back(static_cast<int32_t>(random.Int(0, 2) * row_stride) + random.Int(0, 4));
      }
      const size_t last_pixel = *std::max_element(offsets.begin(), offsets.end()) +
                                (rows - 1) * stride * row_stride + width - 1;
      const Edge edge = kEdges[random.Int(0, 1)];
      Guarded<T> x(last_pixel + 1 + room, edge);
      const std::vector<float> pixels = random.Floats(last_pixel + 1);
      std::fill(x.begin(), x.end(), kNaN);
      std::copy(pixels.begin(), pixels.end(), x.begin());
      const Guarded<int32_t> tap_offset(offsets);
      const Guarded<T> weights(random.Floats(taps));
      const Limits limits = random.Pick(kLimits);
      // Nothing behind the last row may be written: another thread's rows may be there.
      Guarded<T> y(static_cast<size_t>(rows) * width, edge);
      k.depthwise({x.data(), row_stride, y.data(), static_cast<size_t>(width), rows, width, stride,
                   taps, tap_offset.data(), weights.data(), 2.0f, limits.lo, limits.hi});
      for (int r = 0; r < rows; ++r) {
        for (int i = 0; i < width; ++i) {
          double want = 2;
          for (int t = 0; t < taps; ++t) {
            want += double{weights[t]} * x[r * stride * row_stride + offsets[t] + i];
          }
          ASSERT_EQ(y[r * width + i], Clamped(want, limits)) << "row " << r << " pixel " << i;
        }
      }
      ASSERT_TRUE(y.Intact());
    }
  }
}

struct DirectCase {
  int kernel, stride, in_h, in_w, out_h, out_w, pad_top, pad_left;
};

// All channels, the rows in the given parts, one after the other in that order.
template <typename T>
void RunDirect(DepthwiseDirectFn depthwise, const DirectCase& c, const std::vector<int>& cuts,
               bool backwards, Edge edge, Random* random) {
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
  const Guarded<T> weights(random->Floats(c.kernel * c.kernel * channels)),
      bias(random->Floats(channels));
  const Limits limits = random->Pick(kLimits);

  std::vector<int> parts(cuts.size() - 1);
  for (size_t i = 0; i < parts.size(); ++i)
    parts[i] = static_cast<int>(backwards ? parts.size() - 1 - i : i);
  std::vector<bool> done(c.out_h, false);
  for (int part : parts) {
    DepthwiseDirectArgs a{};
    a.x = first_plane;
    a.x_stride = x_stride;
    a.in_h = c.in_h;
    a.in_w = c.in_w;
    a.y = y.data();
    a.y_stride = y_stride;
    a.out_w = c.out_w;
    a.first_row = cuts[part];
    a.end_row = cuts[part + 1];
    a.pad_top = c.pad_top;
    a.pad_left = c.pad_left;
    a.channels = channels;
    a.weights = weights.data();
    a.bias = bias.data();
    a.lo = limits.lo;
    a.hi = limits.hi;
    depthwise(a);
    std::fill(done.begin() + a.first_row, done.begin() + a.end_row, true);
    for (size_t i = 0; i < y.size(); ++i) {
      const size_t channel = i / y_stride, pixel = i % y_stride;
      const int row = static_cast<int>(pixel / c.out_w), column = static_cast<int>(pixel % c.out_w);
      if (pixel >= out_pixels || !done[row]) {
        ASSERT_TRUE(y.Untouched(i))
            << "channel " << channel << " row " << row << " column " << column;
        continue;
      }
      double want = bias[channel];
      for (int t = 0; t < c.kernel * c.kernel; ++t) {
        const int sy = row * c.stride + t / c.kernel - c.pad_top;
        const int sx = column * c.stride + t % c.kernel - c.pad_left;
        if (sy < 0 || sy >= c.in_h || sx < 0 || sx >= c.in_w) continue;
        want += double{weights[c.kernel * c.kernel * channel + t]} *
                first_plane[channel * x_stride + sy * c.in_w + sx];
      }
      ASSERT_EQ(y[i], Clamped(want, limits))
          << "channel " << channel << " row " << row << " column " << column;
    }
  }
  ASSERT_TRUE(y.Intact());
}

template <typename T>
void TestDepthwiseDirect(const KernelRow& row) {
  const Kernels& k = *row.kernels;
  const bool pairs = row.name.find("two_channels") != std::string::npos;
  const int kernel = row.name.find("3x3") != std::string::npos ? 3 : 5;
  const int stride = row.name.find("s1") != std::string::npos ? 1 : 2;
  const DepthwiseDirectFn depthwise =
      (pairs ? k.depthwise_two_channels : k.depthwise_direct)[(kernel - 3) / 2][stride - 1];
  Random random(4);
  for (int in_w = 1; in_w <= stride * (3 * k.lanes + 1); in_w += in_w < 20 ? 1 : 3) {
    for (int in_h : {1, 2, 3, 4, 5, 6, 8, 13}) {
      // Mostly what SAME and VALID give; now and then a wide margin that a PAD left.
      const int widest = random.Chance(0.2) ? kMaxLanes : 2;
      const int pad_top = random.Int(0, widest), pad_left = random.Int(0, widest);
      const int pad_bottom = random.Int(0, widest), pad_right = random.Int(0, widest);
      DirectCase c{kernel, stride, in_h, in_w, 0, 0, pad_top, pad_left};
      const int reach_h = in_h + pad_top + pad_bottom - kernel;
      const int reach_w = in_w + pad_left + pad_right - kernel;
      if (reach_h < 0 || reach_w < 0) continue;
      if (pairs && (in_w > k.lanes || reach_w / stride + 1 > k.lanes / 2)) continue;
      c.out_h = reach_h / stride + 1;
      c.out_w = reach_w / stride + 1;
      std::vector<int> cuts = {0};
      while (cuts.back() < c.out_h) {
        cuts.push_back(std::min(c.out_h, cuts.back() + random.Int(1, 9)));
      }
      SCOPED_TRACE(testing::Message()
                   << "kernel " << kernel << " stride " << stride << " image " << in_h << " x "
                   << in_w << " pads " << pad_top << ' ' << pad_bottom << ' ' << pad_left << ' '
                   << pad_right << " parts " << testing::PrintToString(cuts));
      RunDirect<T>(depthwise, c, cuts, random.Chance(0.5), kEdges[random.Int(0, 1)], &random);
      if (testing::Test::HasFatalFailure()) return;
    }
  }
}

// Some taps of a window that may be dilated; a channel may have none.
template <typename T>
void TestDepthwiseTaps(const KernelRow& row) {
  const Kernels& k = *row.kernels;
  Random random(14);
  constexpr int before = kMaxLanes, behind = 2 * kMaxLanes;
  for (int in_w = 1; in_w <= 3 * k.lanes + 1; in_w += in_w < 20 ? 1 : 3) {
    for (int in_h : {1, 2, 5, 8, 9, 19}) {
      const int kernel = 1 + 2 * random.Int(0, 3), dilation = random.Int(1, 2);
      const int reach = (kernel - 1) * dilation;
      const int pad_top = random.Int(0, reach),
                pad_left = random.Int(0, std::min(reach, kMaxLanes));
      const int out_h = in_h + pad_top + random.Int(0, reach) - reach;
      const int out_w = in_w + pad_left + random.Int(0, reach) - reach;
      if (out_h < 1 || out_w < 1) continue;
      const int channels = random.Int(1, 3);
      std::vector<uint32_t> begin = {0};
      std::vector<TapShift> taps;
      TapShift least{0, 0}, most{0, 0};
      for (int c = 0; c < channels; ++c) {
        for (int ky = 0; ky < kernel; ++ky) {
          for (int kx = 0; kx < kernel; ++kx) {
            if (!random.Chance(c == 1 ? 0.0 : 0.4)) continue;
            taps.push_back({static_cast<int16_t>(ky * dilation - pad_top),
                            static_cast<int16_t>(kx * dilation - pad_left)});
            least = {std::min(least.row, taps.back().row),
                     std::min(least.column, taps.back().column)};
            most = {std::max(most.row, taps.back().row), std::max(most.column, taps.back().column)};
          }
        }
        begin.push_back(static_cast<uint32_t>(taps.size()));
      }
      const Edge edge = kEdges[random.Int(0, 1)];
      const size_t in_pixels = static_cast<size_t>(in_h) * in_w,
                   out_pixels = static_cast<size_t>(out_h) * out_w;
      const size_t x_stride = in_pixels + before + behind + random.Int(0, 3),
                   y_stride = out_pixels + random.Int(0, 3);
      Guarded<T> x(before + (channels - 1) * x_stride + in_pixels + behind, edge);
      std::fill(x.begin(), x.end(), kNaN);
      const T* const planes = x.data() + before;
      for (int c = 0; c < channels; ++c) {
        const std::vector<float> plane = random.Floats(in_pixels);
        std::copy(plane.begin(), plane.end(), x.begin() + before + c * x_stride);
      }
      Guarded<T> y((channels - 1) * y_stride + out_pixels, edge);
      const Guarded<uint32_t> tap_begin(begin);
      const Guarded<TapShift> shifts(taps);
      const Guarded<T> weights(random.Floats(taps.size())), bias(random.Floats(channels));
      const Limits limits = random.Pick(kLimits);
      DepthwiseTapsArgs a{};
      a.x = planes;
      a.x_stride = x_stride;
      a.in_h = in_h;
      a.in_w = in_w;
      a.y = y.data();
      a.y_stride = y_stride;
      a.out_w = out_w;
      a.first_row = random.Int(0, out_h - 1);
      a.end_row = random.Int(a.first_row + 1, out_h);
      a.channels = channels;
      a.tap_begin = tap_begin.data();
      a.taps = shifts.data();
      a.least = least;
      a.most = most;
      a.weights = weights.data();
      a.bias = bias.data();
      a.lo = limits.lo;
      a.hi = limits.hi;
      k.depthwise_taps(a);
      for (size_t i = 0; i < y.size(); ++i) {
        const int c = static_cast<int>(i / y_stride), pixel = static_cast<int>(i % y_stride);
        const int r = pixel / out_w, column = pixel % out_w;
        if (r < a.first_row || r >= a.end_row) {
          ASSERT_TRUE(y.Untouched(i)) << "channel " << c << " row " << r << " column " << column;
          continue;
        }
        double want = bias[c];
        for (uint32_t t = begin[c]; t < begin[c + 1]; ++t) {
          const int sy = r + taps[t].row, sx = column + taps[t].column;
          if (sy < 0 || sy >= in_h || sx < 0 || sx >= in_w) continue;
          want += double{weights[t]} * planes[c * x_stride + sy * in_w + sx];
        }
        ASSERT_EQ(y[i], Clamped(want, limits))
            << "channel " << c << " row " << r << " column " << column;
      }
      ASSERT_TRUE(y.Intact());
    }
  }
}

}  // namespace

void DepthwiseAsTheReference(const KernelRow& row) {
  IsFp16(row) ? TestDepthwise<Float16>(row) : TestDepthwise<float>(row);
}
void DepthwiseDirectAsTheReference(const KernelRow& row) {
  IsFp16(row) ? TestDepthwiseDirect<Float16>(row) : TestDepthwiseDirect<float>(row);
}
void DepthwiseTapsAsTheReference(const KernelRow& row) {
  IsFp16(row) ? TestDepthwiseTaps<Float16>(row) : TestDepthwiseTaps<float>(row);
}

}  // namespace sbnn
