// Sparse products of int8 whose sums become floats, and the rounding of their inputs.
#include <cmath>
#include <limits>
#include <vector>

#include "gtest/gtest.h"
#include "tests/delegate/kernels/int8/testing.h"

namespace sbnn {
namespace int8 {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// What becomes of the sums of some outputs and pixels.
struct Scaling {
  Scaling(size_t outputs, size_t pixels, int offset, Random* random) {
    for (size_t p = 0; p < pixels; ++p) {
      zero_points.push_back(random->Int(-128, 127) + offset);
      input_scales.push_back(0.001f * static_cast<float>(random->Int(1, 3000)));
    }
    for (size_t o = 0; o < outputs; ++o) {
      scales.push_back(0.0001f * static_cast<float>(random->Int(1, 3000)));
      bias.push_back(0.1f * static_cast<float>(random->Int(-100, 100)));
    }
    lo = random->Pick<float>({-kInfinity, 0.0f, -1.0f});
    hi = random->Pick<float>({kInfinity, 6.0f, 1.0f});
  }

  float Of(int64_t sum, int64_t weights, size_t o, size_t p, int offset) const {
    const auto whole = static_cast<int32_t>(sum - weights * (zero_points[p] - offset));
    const float product = static_cast<float>(whole) * input_scales[p];
    return std::min(std::max(std::fma(product, scales[o], bias[o]), lo), hi);
  }

  std::vector<int32_t> zero_points;
  std::vector<float> input_scales, scales, bias;
  float lo, hi;
};

float Any(Random* random) {
  const float spread = random->Pick<float>({0.5f, 0.01f, 1e30f, 1e-40f});
  return static_cast<float>(random->Int(-600, 600)) * spread;
}

}  // namespace

void SpmmToFloatsAsTheReference(const KernelRow& row) {
  const bool columns = row.name.find("columns") != std::string::npos;
  const int element = columns ? 1 : 4, per_step = columns ? 4 : 1;
  const int lanes = row.kernels->lanes, offset_of_inputs = row.kernels->input_offset;
  const int tail = row.name.find("_t4") != std::string::npos ? kTailPixels : lanes;
  const int fewest = columns ? 1 : row.pixels - tail + 1;
  Random random(3);
  for (const std::vector<int>& sizes : kGroupSteps) {
    for (Edge edge : kEdges) {
      for (int pixels : {row.pixels, row.pixels - 1, fewest, random.Int(fewest, row.pixels)}) {
        pixels = std::max(pixels, fewest);
        const Guarded<uint32_t> begin(Begin(sizes));
        const uint32_t steps = begin[sizes.size()];
        const int planes = random.Int(1, 9);
        const size_t plane = pixels * element + kSlack + random.Int(0, 5);
        const Guarded<int8_t> x(Bytes(planes * plane, -128, &random), edge);
        std::vector<int32_t> offset_values;
        for (uint32_t i = 0; i < steps * per_step; ++i) {
          offset_values.push_back(random.Int(0, planes - 1) * static_cast<int>(plane));
        }
        const Guarded<int32_t> offset(offset_values);
        const Guarded<int8_t> w(Bytes(steps * row.group * 4, -127, &random));
        const size_t outputs = sizes.size() * row.group;
        // Whole vectors, or vectors and a tail.
        const int whole = tail == lanes ? (pixels + lanes - 1) / lanes * lanes : row.pixels;
        const Scaling s(outputs, whole, offset_of_inputs, &random);
        std::vector<int32_t> of_weights(outputs, 0);
        for (size_t o = 0; o < outputs; ++o) {
          for (uint32_t i = begin[o / row.group]; i < begin[o / row.group + 1]; ++i) {
            for (int k = 0; k < 4; ++k) {
              of_weights[o] += w[(i * row.group + o % row.group) * 4 + k];
            }
          }
        }
        const Guarded<int32_t> sums_of_weights(of_weights), zero_points(s.zero_points);
        const Guarded<float> input_scales(s.input_scales), scales(s.scales), bias(s.bias);
        const size_t y_stride = whole + random.Int(0, 1) * 7;
        Guarded<float> y((outputs - 1) * y_stride + whole, edge);
        const uint32_t quads = static_cast<uint32_t>(outputs / 4);
        const uint32_t first = random.Int(0, 1) * (quads / 2);
        SpmmArgs args = {};
        args.x = x.data();
        args.pixels = pixels;
        args.group_begin = begin.data();
        args.offset = offset.data();
        args.weights = w.data();
        args.bias = sums_of_weights.data();
        args.scale = scales.data();
        args.first_quad = first;
        args.end_quad = quads;
        args.floats = {y.data(), y_stride, zero_points.data(), input_scales.data(), bias.data(),
                       s.lo,     s.hi};
        row.spmm(args);
        for (size_t i = 0; i < y.size(); ++i) {
          const size_t o = i / y_stride, pixel = i % y_stride;
          if (pixel >= static_cast<size_t>(whole) || o < 4 * first) {
            ASSERT_TRUE(y.Untouched(i)) << i;
            continue;
          }
          if (pixel >= static_cast<size_t>(pixels)) continue;
          int64_t sum = 0;
          for (uint32_t g = begin[o / row.group]; g < begin[o / row.group + 1]; ++g) {
            for (int k = 0; k < 4; ++k) {
              const int32_t from =
                  columns ? offset[4 * g + k] : offset[g] + static_cast<int32_t>(k);
              sum += x[from + pixel * element] * w[(g * row.group + o % row.group) * 4 + k];
            }
          }
          ASSERT_EQ(y[i], s.Of(sum, of_weights[o], o, pixel, offset_of_inputs))
              << "output " << o << ", pixel " << pixel << " of " << pixels << ", sum " << sum;
        }
        ASSERT_TRUE(y.Intact());
      }
    }
  }
}

void SpmvToFloatsAsTheReference(const KernelRow& row) {
  Random random(4);
  const int offset = row.kernels->input_offset;
  for (const std::vector<int>& sizes : kGroupSteps) {
    const int inputs = random.Int(1, 9);  // quads
    const Guarded<uint32_t> begin(Begin(sizes));
    const uint32_t quads = static_cast<uint32_t>(sizes.size()), steps = begin[quads];
    std::vector<uint16_t> block_values;
    for (uint32_t i = 0; i < steps; ++i) {
      block_values.push_back(static_cast<uint16_t>(random.Int(0, inputs - 1)));
    }
    const Guarded<uint16_t> blocks(block_values);
    const Guarded<int8_t> x(Bytes(4 * inputs, -128, &random));
    const Guarded<int8_t> w(Bytes(16 * steps, -127, &random));
    const Scaling s(4 * quads, 1, offset, &random);
    std::vector<int32_t> of_weights(4 * quads, 0);
    std::vector<int64_t> sums(4 * quads, 0);
    for (uint32_t o = 0; o < 4 * quads; ++o) {
      for (uint32_t i = begin[o / 4]; i < begin[o / 4 + 1]; ++i) {
        for (int k = 0; k < 4; ++k) {
          const int weight = w[16 * i + o % 4 * 4 + k];
          of_weights[o] += weight;
          sums[o] += x[4 * blocks[i] + k] * weight;
        }
      }
    }
    const Guarded<int32_t> sums_of_weights(of_weights), zero_points(s.zero_points);
    const Guarded<float> input_scales(s.input_scales), scales(s.scales), bias(s.bias);
    Guarded<float> y(4 * quads);
    SpmvArgs args = {};
    args.x = x.data();
    args.group_begin = begin.data();
    args.blocks = blocks.data();
    args.weights = w.data();
    args.bias = sums_of_weights.data();
    args.scale = scales.data();
    args.first_quad = random.Int(0, 1);
    args.end_quad = quads;
    args.floats = {y.data(), 0, zero_points.data(), input_scales.data(), bias.data(), s.lo, s.hi};
    row.kernels->spmv_to_floats(args);
    for (uint32_t o = 0; o < 4 * quads; ++o) {
      if (o < 4 * args.first_quad) {
        ASSERT_TRUE(y.Untouched(o));
      } else {
        ASSERT_EQ(y[o], s.Of(sums[o], of_weights[o], o, 0, offset)) << "output " << o;
      }
    }
    ASSERT_TRUE(y.Intact());
  }
}

void RangesAsTheReference(const KernelRow& row) {
  Random random(5);
  for (int round = 0; round < 60; ++round) {
    const int channels = random.Int(1, 9);
    const size_t pixels = random.Pick<int>({1, 15, 16, 17, 255, 256, 257, random.Int(1, 600)});
    const size_t stride = pixels + random.Int(0, 3);
    Guarded<float> x((channels - 1) * stride + pixels);
    for (float& v : x) v = Any(&random);
    const std::vector<float> zeros(pixels, 0.0f);
    Guarded<float> least(zeros), most(zeros);
    const Rounding& kernels = row.kernels->rounding;
    kernels.ranges({x.data(), stride, channels, pixels, least.data(), most.data()});
    float all_least = 0, all_most = 0;
    kernels.range(x.data(), stride, channels, pixels, &all_least, &all_most);
    float of_all_least = 0, of_all_most = 0;
    for (size_t p = 0; p < pixels; ++p) {
      float low = 0, high = 0;
      for (int c = 0; c < channels; ++c) {
        low = std::min(low, x[c * stride + p]);
        high = std::max(high, x[c * stride + p]);
      }
      ASSERT_EQ(least[p], low);
      ASSERT_EQ(most[p], high);
      of_all_least = std::min(of_all_least, low);
      of_all_most = std::max(of_all_most, high);
    }
    ASSERT_EQ(all_least, of_all_least);
    ASSERT_EQ(all_most, of_all_most);
    ASSERT_TRUE(least.Intact() && most.Intact());
  }
}

void RoundingsAsTheReference(const KernelRow& row) {
  Random random(6);
  for (int round = 0; round < 60; ++round) {
    const size_t count = random.Int(1, 70);
    Guarded<float> least(count), most(count);
    for (size_t i = 0; i < count; ++i) {
      least[i] = random.Chance(0.3) ? 0 : -std::abs(Any(&random));
      most[i] = random.Chance(0.3) ? 0 : std::abs(Any(&random));
    }
    Guarded<float> scales(count), back(count);
    Guarded<int32_t> zero_points(count);
    row.kernels->rounding.roundings(
        {least.data(), most.data(), count, scales.data(), back.data(), zero_points.data()});
    for (size_t i = 0; i < count; ++i) {
      const float scale = least[i] == most[i] ? 1.0f : 255.0f / (most[i] - least[i]);
      const float low = least[i] * scale, high = most[i] * scale;
      const float zero = (-128 + low) + (127 + high) > 0 ? -128 - low : 127 - high;
      // (A range too small for its scale has no number here.)
      const float limited = zero > -128 ? std::min(zero, 127.0f) : -128.0f;
      ASSERT_EQ(scales[i], scale);
      ASSERT_EQ(back[i], 1.0f / scale);
      ASSERT_EQ(zero_points[i] - row.kernels->input_offset,
                static_cast<int32_t>(std::nearbyint(limited)))
          << least[i] << " to " << most[i];
    }
    ASSERT_TRUE(scales.Intact() && back.Intact() && zero_points.Intact());
  }
}

void RoundToAsTheReference(const KernelRow& row) {
  Random random(7);
  for (int round = 0; round < 60; ++round) {
    const int channels = random.Int(1, 9);
    const size_t pixels = random.Pick<int>({1, 15, 16, 17, 63, 64, 65, random.Int(1, 200)});
    const size_t stride = pixels + random.Int(0, 3);
    Guarded<float> x((channels - 1) * stride + pixels);
    for (float& v : x) {
      v = Any(&random);
      if (random.Chance(0.05)) v = random.Pick<float>({kInfinity, -kInfinity, std::nanf("")});
    }
    Guarded<float> scales(pixels);
    Guarded<int32_t> zero_points(pixels);
    for (size_t p = 0; p < pixels; ++p) {
      scales[p] = random.Pick<float>({1.0f, 0.1f, 3.0f});
      zero_points[p] = random.Int(-128, 127) + row.kernels->input_offset;
    }
    const bool quads = random.Chance(0.5);
    const size_t y_stride = pixels * (quads ? 4 : 1) + random.Int(0, 5);
    const size_t planes = quads ? (channels + 3) / 4 : channels;
    Guarded<int8_t> y((planes - 1) * y_stride + pixels * (quads ? 4 : 1));
    const Rounding& kernels = row.kernels->rounding;
    (quads ? kernels.to_quads
           : kernels.to_panel)({x.data(), stride, channels, pixels, scales.data(),
                                zero_points.data(), y.data(), y_stride});
    for (int c = 0; c < channels; ++c) {
      for (size_t p = 0; p < pixels; ++p) {
        const float scaled = x[c * stride + p] * scales[p];
        const double limited =
            std::isnan(scaled) ? 1e6 : std::min(1e6, std::max(-1e6, static_cast<double>(scaled)));
        const double rounded = std::nearbyint(limited) + zero_points[p] - row.kernels->input_offset;
        const int8_t found = quads ? y[c / 4 * y_stride + 4 * p + c % 4] : y[c * y_stride + p];
        ASSERT_EQ(found, static_cast<int8_t>(std::min(127.0, std::max(-128.0, rounded))))
            << scaled << " with the zero point " << zero_points[p];
      }
    }
    ASSERT_TRUE(y.Intact());
  }
}

void RoundAwayAsTheReference(const KernelRow& row) {
  Random random(8);
  for (int round = 0; round < 60; ++round) {
    const size_t count = random.Int(1, 200);
    Guarded<float> x(count), y(count);
    for (float& v : x) {
      v = Any(&random);
      if (random.Chance(0.05)) v = random.Pick<float>({kInfinity, -kInfinity});
    }
    const float scale = random.Pick<float>({1.0f, 0.1f, 3.0f});
    const int zero_point = random.Int(-128, 127);
    row.kernels->rounding.away(x.data(), y.data(), count, scale, zero_point);
    for (size_t i = 0; i < count; ++i) {
      const float scaled = std::round(std::min(1e6f, std::max(-1e6f, x[i] * scale)));
      const float whole = scaled + static_cast<float>(zero_point);
      ASSERT_EQ(y[i], std::min(127.0f, std::max(-128.0f, whole)) - static_cast<float>(zero_point));
    }
    ASSERT_TRUE(y.Intact());
  }
}

void ScaleAsTheReference(const KernelRow& row) {
  Random random(9);
  for (int round = 0; round < 60; ++round) {
    const size_t count = random.Int(1, 200);
    Guarded<float> x(count), y(count);
    for (size_t i = 0; i < count; ++i) {
      x[i] = y[i] = static_cast<float>(random.Int(-300000, 300000));
    }
    const float a = 0.001f * static_cast<float>(random.Int(1, 3000)), b = 0.0123f, c = 1.77f;
    const float lo = random.Pick<float>({-kInfinity, 0.0f}), hi = random.Pick<float>({6, 1e9f});
    row.kernels->rounding.scale({y.data(), count, a, b, c, lo, hi});
    for (size_t i = 0; i < count; ++i) {
      float v = x[i] * a;
      v *= b;
      v += c;
      ASSERT_EQ(y[i], std::min(std::max(v, lo), hi));
    }
    ASSERT_TRUE(y.Intact());
  }
}

}  // namespace int8
}  // namespace sbnn
