// What the operators compute, said as plainly as can be: NHWC, double precision, the definitions of
// TensorFlow.
#ifndef SBNN_TESTS_DELEGATE_REFERENCE_H_
#define SBNN_TESTS_DELEGATE_REFERENCE_H_

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "delegate/engine/tensor.h"
#include "delegate/engine/window.h"

namespace sbnn {

// A tensor outside of the engine.
struct Array {
  Shape shape;
  std::vector<float> data;

  Array() = default;
  Array(Shape s, std::vector<float> d) : shape(std::move(s)), data(std::move(d)) {}
  explicit Array(Shape s) : shape(std::move(s)), data(ElementCount(shape), 0.0f) {}

  float& At(int n, int y, int x, int c) {
    return data[((static_cast<size_t>(n) * shape[1] + y) * shape[2] + x) * shape[3] + c];
  }
  float At(int n, int y, int x, int c) const { return const_cast<Array*>(this)->At(n, y, x, c); }
};

// NaN stays NaN.
inline float ReferenceClamp(double v, float lo, float hi) {
  return static_cast<float>(v < lo ? lo : v > hi ? hi : v);
}

inline Array ReferencePad(const Array& x, const Margin& m) {
  Array y({x.shape[0], x.shape[1] + m.top + m.bottom, x.shape[2] + m.left + m.right, x.shape[3]});
  for (int n = 0; n < x.shape[0]; ++n) {
    for (int i = 0; i < x.shape[1]; ++i) {
      for (int j = 0; j < x.shape[2]; ++j) {
        for (int c = 0; c < x.shape[3]; ++c) y.At(n, i + m.top, j + m.left, c) = x.At(n, i, j, c);
      }
    }
  }
  return y;
}

// Output size and padding before the image along one axis; size 0 where a window does not fit.
struct ReferenceAxis {
  int out, pad;
  ReferenceAxis(int size, int kernel, int stride, int dilation, bool same) {
    const int reach = (kernel - 1) * dilation + 1;
    if (same) {
      out = (size + stride - 1) / stride;
      pad = std::max(0, (out - 1) * stride + reach - size) / 2;
    } else {
      out = size < reach ? 0 : (size - reach) / stride + 1;
      pad = 0;
    }
  }
};

// Element i of an array spread over the shape `large`.
inline float Spread(const Array& small, const Shape& large, size_t i) {
  size_t index = 0, stride = 1;
  for (size_t d = large.size(); d-- > 0;) {
    const size_t at = i % large[d];
    i /= large[d];
    if (small.shape[d] != 1) index += at * stride;
    stride *= small.shape[d];
  }
  return small.data[index];
}

// A convolution's bias at every output, then fn(sums of the pixel, tap, reader of input channels)
// for each tap that meets the image, then the clamp.
template <typename Fn>
Array ReferenceWindows(const Array& input, const std::vector<float>& bias, const Window& w,
                       float lo, float hi, const Fn& fn) {
  const Array image = ReferencePad(input, w.margin);
  const ReferenceAxis rows(image.shape[1], w.kernel_h, w.stride_h, w.dilation_h, w.same);
  const ReferenceAxis columns(image.shape[2], w.kernel_w, w.stride_w, w.dilation_w, w.same);
  Array result({image.shape[0], rows.out, columns.out, static_cast<int>(bias.size())});
  float* out = result.data.data();
  for (int n = 0; n < image.shape[0]; ++n) {
    for (int y = 0; y < rows.out; ++y) {
      for (int x = 0; x < columns.out; ++x) {
        std::vector<double> sums(bias.begin(), bias.end());
        for (int t = 0; t < w.kernel_h * w.kernel_w; ++t) {
          const int i = y * w.stride_h - rows.pad + t / w.kernel_w * w.dilation_h;
          const int j = x * w.stride_w - columns.pad + t % w.kernel_w * w.dilation_w;
          if (i < 0 || i >= image.shape[1] || j < 0 || j >= image.shape[2]) continue;
          fn(sums.data(), t, [&](int c) { return double{image.At(n, i, j, c)}; });
        }
        for (double sum : sums) *out++ = ReferenceClamp(sum, lo, hi);
      }
    }
  }
  return result;
}

// filter: [outputs][taps][inputs / groups].
inline Array ReferenceConvolution(const Array& x, const std::vector<float>& filter,
                                  const std::vector<float>& bias, const Window& w, float lo,
                                  float hi, int groups = 1) {
  const int inputs = x.shape[3] / groups, outputs = static_cast<int>(bias.size());
  const int taps = w.kernel_h * w.kernel_w;
  return ReferenceWindows(x, bias, w, lo, hi, [&](double* sums, int t, const auto& source) {
    for (int o = 0; o < outputs; ++o) {
      const int first = o / (outputs / groups) * inputs;
      for (int c = 0; c < inputs; ++c) {
        sums[o] += source(first + c) * filter[(static_cast<size_t>(o) * taps + t) * inputs + c];
      }
    }
  });
}

// filter: [outputs][taps][inputs]; `y` has the output's shape.
inline Array ReferenceTransposeConvolution(const Array& x, const std::vector<float>& filter,
                                           const std::vector<float>& bias, const Window& w,
                                           const Shape& shape, float lo, float hi) {
  const int inputs = x.shape[3], outputs = shape[3];
  const int top = w.same ? ReferenceAxis(shape[1], w.kernel_h, w.stride_h, 1, true).pad : 0;
  const int left = w.same ? ReferenceAxis(shape[2], w.kernel_w, w.stride_w, 1, true).pad : 0;
  Array y(shape);
  for (size_t i = 0; i < y.data.size(); ++i) y.data[i] = bias[i % outputs];
  for (int n = 0; n < shape[0]; ++n) {
    for (int i = 0; i < x.shape[1] * w.kernel_h; ++i) {
      for (int j = 0; j < x.shape[2] * w.kernel_w; ++j) {
        const int ky = i % w.kernel_h, kx = j % w.kernel_w;
        const int row = i / w.kernel_h * w.stride_h + ky - top;
        const int column = j / w.kernel_w * w.stride_w + kx - left;
        if (row < 0 || row >= shape[1] || column < 0 || column >= shape[2]) continue;
        for (int o = 0; o < outputs; ++o) {
          const float* const taps =
              filter.data() +
              ((static_cast<size_t>(o) * w.kernel_h + ky) * w.kernel_w + kx) * inputs;
          for (int c = 0; c < inputs; ++c) {
            y.At(n, row, column, o) += taps[c] * x.At(n, i / w.kernel_h, j / w.kernel_w, c);
          }
        }
      }
    }
  }
  for (float& v : y.data) v = ReferenceClamp(v, lo, hi);
  return y;
}

// taps: [channels][taps].
inline Array ReferenceDepthwise(const Array& x, const std::vector<float>& taps, int multiplier,
                                const std::vector<float>& bias, const Window& w, float lo,
                                float hi) {
  const int channels = static_cast<int>(bias.size()), count = w.kernel_h * w.kernel_w;
  return ReferenceWindows(x, bias, w, lo, hi, [&](double* sums, int t, const auto& source) {
    for (int c = 0; c < channels; ++c) {
      sums[c] += source(c / multiplier) * taps[static_cast<size_t>(c) * count + t];
    }
  });
}

inline Array ReferenceMean(const Array& x, bool keep_dims) {
  const int n = x.shape[0], pixels = x.shape[1] * x.shape[2], channels = x.shape[3];
  Array y(keep_dims ? Shape{n, 1, 1, channels} : Shape{n, channels});
  for (int i = 0; i < n; ++i) {
    for (int c = 0; c < channels; ++c) {
      double sum = 0;
      for (int p = 0; p < pixels; ++p)
        sum += x.data[(static_cast<size_t>(i) * pixels + p) * channels + c];
      y.data[static_cast<size_t>(i) * channels + c] = static_cast<float>(sum / pixels);
    }
  }
  return y;
}

// weights: [outputs][inputs]; rows are whatever gives `inputs` values.
inline std::vector<float> ReferenceFullyConnected(const std::vector<float>& x,
                                                  const std::vector<float>& weights,
                                                  const std::vector<float>& bias, float lo,
                                                  float hi) {
  const size_t outputs = bias.size(), inputs = weights.size() / outputs;
  std::vector<float> y;
  for (size_t r = 0; r < x.size() / inputs; ++r) {
    for (size_t o = 0; o < outputs; ++o) {
      double sum = bias[o];
      for (size_t i = 0; i < inputs; ++i)
        sum += double{x[r * inputs + i]} * weights[o * inputs + i];
      y.push_back(ReferenceClamp(sum, lo, hi));
    }
  }
  return y;
}

inline std::vector<float> ReferenceSoftmax(const std::vector<float>& x, size_t depth, float beta) {
  std::vector<float> y;
  for (size_t r = 0; r < x.size(); r += depth) {
    double sum = 0;
    const double largest = *std::max_element(x.begin() + r, x.begin() + r + depth);
    for (size_t i = r; i < r + depth; ++i) sum += std::exp(beta * (x[i] - largest));
    for (size_t i = r; i < r + depth; ++i) {
      y.push_back(static_cast<float>(std::exp(beta * (x[i] - largest)) / sum));
    }
  }
  return y;
}

}  // namespace sbnn

#endif  // SBNN_TESTS_DELEGATE_REFERENCE_H_
