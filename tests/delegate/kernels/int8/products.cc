// Sparse products of int8.
#include <vector>

#include "gtest/gtest.h"
#include "tests/delegate/kernels/int8/testing.h"

namespace sbnn {
namespace int8 {
void SpmmAsTheReference(const KernelRow& row) {
  const bool columns = row.name.rfind("columns", 0) == 0;
  const int element = columns ? 1 : 4, per_step = columns ? 4 : 1;
  // The fewest pixels that come to this kernel.
  const int tail = row.name.find("_t4") != std::string::npos ? kTailPixels : row.kernels->lanes;
  const int fewest = columns ? 1 : row.pixels - tail + 1;
  Random random(1);
  for (const std::vector<int>& sizes : kGroupSteps) {
    for (Edge edge : kEdges) {
      for (int pixels : {row.pixels, row.pixels - 1, fewest, random.Int(fewest, row.pixels)}) {
        pixels = std::max(pixels, fewest);
        const std::vector<uint32_t> begin_values = Begin(sizes);
        const uint32_t steps = begin_values.back();
        const Guarded<uint32_t> begin(begin_values);
        const int planes = random.Int(1, 9);
        const size_t plane = pixels * element + kSlack + random.Int(0, 5);
        const Guarded<int8_t> x(Bytes(planes * plane, -128, &random), edge);
        const int origin = random.Int(0, planes - 1);  // offsets may go back, too
        std::vector<int32_t> offset_values;
        for (uint32_t i = 0; i < steps * per_step; ++i) {
          offset_values.push_back((random.Int(0, planes - 1) - origin) * static_cast<int>(plane));
        }
        const Guarded<int32_t> offset(offset_values);
        const Guarded<int8_t> w(Bytes(steps * row.group * 4, -127, &random));
        const size_t outputs = sizes.size() * row.group;
        const std::vector<int32_t> biases = Biases(outputs, &random);
        const Guarded<float> scale(Scales(biases, &random));
        const Requantization to = AnyRequantization(&random);
        std::vector<int32_t> less = biases;
        for (size_t o = 0; o < outputs; ++o) {
          int64_t sum = 0;
          for (uint32_t s = begin[o / row.group]; s < begin[o / row.group + 1]; ++s) {
            for (int k = 0; k < 4; ++k) sum += w[(s * row.group + o % row.group) * 4 + k];
          }
          less[o] = LessOffset(biases[o], sum, row.kernels->input_offset);
        }
        const Guarded<int32_t> bias(less);
        const size_t y_element = row.to_panel ? 1 : 4;
        const size_t y_planes = row.to_panel ? outputs : outputs / 4;
        const size_t y_stride = pixels * y_element + random.Int(0, 1) * 7;
        Guarded<int8_t> y((y_planes - 1) * y_stride + pixels * y_element, edge);
        const uint32_t quads = static_cast<uint32_t>(outputs / 4);
        const uint32_t first = random.Int(0, 1) * (quads / 2);
        row.spmm({x.data() + origin * plane, y.data(), y_stride, pixels, begin.data(),
                  offset.data(), w.data(), bias.data(), scale.data(), first, quads, to});
        for (size_t i = 0; i < y.size(); ++i) {
          const size_t at = i % y_stride, pixel = at / y_element;
          const size_t o = row.to_panel ? i / y_stride : i / y_stride * 4 + at % 4;
          if (pixel >= static_cast<size_t>(pixels) || o < 4 * first) {
            ASSERT_TRUE(y.Untouched(i)) << i;
            continue;
          }
          int64_t sum = biases[o];
          for (uint32_t s = begin[o / row.group]; s < begin[o / row.group + 1]; ++s) {
            for (int k = 0; k < 4; ++k) {
              const int32_t from =
                  columns ? offset[4 * s + k] : offset[s] + static_cast<int32_t>(k);
              sum += x[origin * plane + from + pixel * element] *
                     w[(s * row.group + o % row.group) * 4 + k];
            }
          }
          ASSERT_EQ(y[i], Requantized(sum, scale[o], to))
              << "output " << o << ", pixel " << pixel << " of " << pixels << ", sum " << sum;
        }
        ASSERT_TRUE(y.Intact());
      }
    }
  }
}

void SpmvAsTheReference(const KernelRow& row) {
  Random random(2);
  for (const std::vector<int>& sizes : kGroupSteps) {
    for (Edge edge : kEdges) {
      const int inputs = random.Int(1, 9);  // quads
      const Guarded<uint32_t> begin(Begin(sizes));
      const uint32_t quads = static_cast<uint32_t>(sizes.size()), steps = begin[quads];
      std::vector<uint16_t> block_values;
      for (uint32_t i = 0; i < steps; ++i) {
        block_values.push_back(static_cast<uint16_t>(random.Int(0, inputs - 1)));
      }
      const Guarded<uint16_t> blocks(block_values);
      const Guarded<int8_t> x(Bytes(4 * inputs, -128, &random), edge);
      const Guarded<int8_t> w(Bytes(16 * steps, -127, &random));
      const std::vector<int32_t> biases = Biases(4 * quads, &random);
      const Guarded<float> scale(Scales(biases, &random));
      const Requantization to = AnyRequantization(&random);
      std::vector<int32_t> less = biases;
      std::vector<int64_t> sums(biases.begin(), biases.end());
      for (uint32_t o = 0; o < 4 * quads; ++o) {
        int64_t of_weights = 0;
        for (uint32_t s = begin[o / 4]; s < begin[o / 4 + 1]; ++s) {
          for (int k = 0; k < 4; ++k) {
            const int weight = w[16 * s + o % 4 * 4 + k];
            of_weights += weight;
            sums[o] += x[4 * blocks[s] + k] * weight;
          }
        }
        less[o] = LessOffset(biases[o], of_weights, row.kernels->input_offset);
      }
      const Guarded<int32_t> bias(less);
      Guarded<int8_t> y(4 * quads, edge);
      const uint32_t first = random.Int(0, 1);
      row.kernels->spmv({x.data(), y.data(), begin.data(), blocks.data(), w.data(), bias.data(),
                         scale.data(), first, quads, to});
      for (uint32_t o = 0; o < 4 * quads; ++o) {
        if (o < 4 * first) {
          ASSERT_TRUE(y.Untouched(o));
        } else {
          ASSERT_EQ(y[o], Requantized(sums[o], scale[o], to)) << "output " << o;
        }
      }
      ASSERT_TRUE(y.Intact());
    }
  }
}

}  // namespace int8
}  // namespace sbnn
