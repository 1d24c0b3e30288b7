// Depthwise convolutions of int8.
#include <string>
#include <vector>

#include "delegate/kernels/int8/pack_depthwise.h"
#include "gtest/gtest.h"
#include "tests/delegate/kernels/int8/testing.h"

namespace sbnn {
namespace int8 {
namespace {

struct Case {
  int in_h, in_w, out_h, out_w;
  int kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left;
};

// A random image, filter and so on, and what is to come out.
struct Problem {
  Problem(const Case& c, int channels, Edge edge, Random* random)
      : quads((channels + 3) / 4),
        x_plane(static_cast<size_t>(c.in_h) * c.in_w * 4),
        x_stride(x_plane + random->Int(0, 1) * 5),
        x(Bytes((quads - 1) * x_stride + x_plane + kSlack, -128, random), edge),
        weights(Bytes(static_cast<size_t>(c.kernel_h) * c.kernel_w * channels, -127, random)),
        biases(Biases(4 * quads, random)),
        scale(Scales(4 * quads, random)),
        to(AnyRequantization(random)),
        zero_point(random->Pick<int>({-128, -5, 0, 127})) {
    for (int q = 0; q < quads; ++q) {
      for (int y = 0; y < c.out_h; ++y) {
        for (int xx = 0; xx < c.out_w; ++xx) {
          for (int ch = 4 * q; ch < 4 * q + 4; ++ch) {
            int64_t sum = biases[ch];
            for (int t = 0; ch < channels && t < c.kernel_h * c.kernel_w; ++t) {
              const int iy = y * c.stride_h - c.pad_top + t / c.kernel_w * c.dilation_h;
              const int ix = xx * c.stride_w - c.pad_left + t % c.kernel_w * c.dilation_w;
              if (iy < 0 || iy >= c.in_h || ix < 0 || ix >= c.in_w) continue;
              const size_t at = (static_cast<size_t>(iy) * c.in_w + ix) * 4 + ch % 4;
              sum += (x[q * x_stride + at] - zero_point) * weights[t * channels + ch];
            }
            expected.push_back(Requantized(sum, scale[ch], to));
          }
        }
      }
    }
  }

  int quads;
  size_t x_plane, x_stride;
  Guarded<int8_t> x;
  std::vector<int8_t> weights;  // [taps][channels]
  std::vector<int32_t> biases;
  Guarded<float> scale;
  Requantization to;
  int zero_point;
  std::vector<int8_t> expected;  // [quads][out_h][out_w][4]
};

}  // namespace

void DepthwiseAsTheReference(const KernelRow& row) {
  const int window = row.name.find("3x3") != std::string::npos ? 3 : 5;
  const int stride = row.name.back() - '0';
  const Kernels& k = *row.kernels;
  Random random(3);
  for (const auto& table : {k.depthwise, k.depthwise_narrow}) {
    const DepthwiseFn depthwise = table[window == 3 ? 0 : 1][stride - 1];
    if (depthwise == nullptr) continue;
    for (int width : {1, 2, 3, k.lanes - 1, k.lanes, k.lanes + 1, 2 * k.lanes, 3 * k.lanes + 2}) {
      for (Edge edge : kEdges) {
        Case c = {};
        c.in_w = width;
        c.in_h = random.Int(1, 9);
        c.kernel_h = c.kernel_w = window;
        c.stride_h = c.stride_w = stride;
        c.dilation_h = c.dilation_w = 1;
        // As much of the window may lie over either side as it has columns but one.
        c.pad_top = random.Int(0, window - 1);
        c.pad_left = random.Int(0, window - 1);
        c.out_h = (c.in_h + c.pad_top) / stride + 1;
        c.out_w = (c.in_w + c.pad_left) / stride + 1;
        const int channels = random.Int(1, 9);
        const Problem p(c, channels, edge, &random);
        const Guarded<int8_t> packed(PackDepthwise(p.weights.data(), channels, window, stride));
        std::vector<int32_t> less = p.biases;
        for (int ch = 0; ch < channels; ++ch) {
          int64_t sum = 0;
          for (int t = 0; t < window * window; ++t) sum += p.weights[t * channels + ch];
          less[ch] = LessOffset(p.biases[ch], sum, k.input_offset + p.zero_point);
        }
        const Guarded<int32_t> bias(less);
        const Guarded<int8_t> pad_row(
            std::vector<int8_t>(4 * c.in_w + kSlack, static_cast<int8_t>(p.zero_point)));
        const bool to_panel = random.Chance(0.5);
        const int y_element = to_panel ? 1 : 4;
        const size_t pixels = static_cast<size_t>(c.out_h) * c.out_w;
        const size_t y_stride = pixels * y_element + random.Int(0, 3);
        Guarded<int8_t> y((p.quads * 4 / y_element - 1) * y_stride + pixels * y_element, edge);
        const int first = random.Int(0, c.out_h - 1), end = random.Int(first, c.out_h);
        DepthwiseArgs args = {};
        args.x = p.x.data();
        args.x_stride = p.x_stride;
        args.in_h = c.in_h;
        args.in_w = c.in_w;
        args.y = y.data();
        args.y_stride = y_stride;
        args.to_panel = to_panel;
        args.out_w = c.out_w;
        args.first_row = first;
        args.end_row = end;
        args.quads = p.quads;
        args.pad_top = c.pad_top;
        args.pad_left = c.pad_left;
        args.pad = static_cast<int8_t>(p.zero_point);
        args.pad_row = pad_row.data();
        args.weights = packed.data();
        args.bias = bias.data();
        args.scale = p.scale.data();
        args.to = p.to;
        depthwise(args);
        for (size_t i = 0; i < y.size(); ++i) {
          const size_t at = i % y_stride, plane = i / y_stride, pixel = at / y_element;
          const size_t quad = to_panel ? plane / 4 : plane, c4 = to_panel ? plane % 4 : at % 4;
          const int line = static_cast<int>(pixel / c.out_w);
          if (pixel >= pixels || line < first || line >= end) {
            ASSERT_TRUE(y.Untouched(i)) << i;
            continue;
          }
          ASSERT_EQ(y[i], p.expected[(quad * pixels + pixel) * 4 + c4])
              << width << " wide, padding " << c.pad_left << ", pixel " << pixel << ", quad "
              << quad << ", channel " << c4;
        }
        ASSERT_TRUE(y.Intact());
      }
    }
  }
}

void DepthwiseAnyAsTheReference(const KernelRow& row) {
  Random random(4);
  for (int round = 0; round < 60; ++round) {
    Case c = {};
    c.in_h = random.Int(1, 12);
    c.in_w = random.Int(1, 40);
    c.kernel_h = random.Int(1, 7);
    c.kernel_w = random.Int(1, 7);
    c.stride_h = random.Int(1, 3);
    c.stride_w = random.Int(1, 3);
    c.dilation_h = random.Int(1, 2);
    c.dilation_w = random.Int(1, 2);
    c.pad_top = random.Int(0, 6);
    c.pad_left = random.Int(0, 6);
    c.out_h = c.in_h / c.stride_h + 1;
    c.out_w = c.in_w / c.stride_w + 1;
    const Problem p(c, 4, random.Pick<Edge>({Edge::kBegin, Edge::kEnd}), &random);
    const Guarded<int32_t> bias(p.biases);
    const Guarded<int8_t> weights(p.weights);
    Guarded<int32_t> sums(4 * c.out_w);
    const bool planes = random.Chance(0.5);
    const size_t y_pixel = planes ? 1 : 4, y_channel = planes ? c.out_w : 1;
    for (int line = 0; line < c.out_h; ++line) {
      Guarded<int8_t> y(4 * c.out_w);
      row.kernels->depthwise_any(
          {p.x.data(),   c.in_h,         c.in_w,      y.data(),   y_pixel,      y_channel,
           c.out_w,      line,           c.kernel_h,  c.kernel_w, c.stride_h,   c.stride_w,
           c.dilation_h, c.dilation_w,   c.pad_top,   c.pad_left, p.zero_point, weights.data(),
           bias.data(),  p.scale.data(), sums.data(), p.to});
      for (int i = 0; i < 4 * c.out_w; ++i) {
        ASSERT_EQ(y[i / 4 * y_pixel + i % 4 * y_channel], p.expected[line * c.out_w * 4 + i]);
      }
      ASSERT_TRUE(y.Intact() && sums.Intact());
    }
  }
}

}  // namespace int8
}  // namespace sbnn
