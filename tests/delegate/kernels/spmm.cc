// Sparse products.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <utility>
#include <vector>

#include "delegate/format/float16.h"
#include "delegate/kernels/table.h"
#include "gtest/gtest.h"
#include "tests/delegate/guarded.h"
#include "tests/delegate/kernels/testing.h"
#include "tests/delegate/random.h"

namespace sbnn {
namespace {

// Random groups of columns, some of them empty, in arrays that end where they should.
template <typename T>
struct Groups {
  std::vector<uint32_t> begin;
  std::vector<uint16_t> columns;
  Guarded<T> weights, bias;

  Groups(const std::vector<int>& sizes, int inputs, int group, Random* random)
      : begin(Begin(sizes)),
        weights(random->Floats(begin.back() * group)),
        bias(random->Floats(sizes.size() * group)) {
    for (uint32_t i = 0; i < begin.back(); ++i) {
      columns.push_back(static_cast<uint16_t>(random->Int(0, inputs - 1)));
    }
  }
  static std::vector<uint32_t> Begin(const std::vector<int>& sizes) {
    std::vector<uint32_t> begin = {0};
    for (int s : sizes) begin.push_back(begin.back() + static_cast<uint32_t>(s));
    return begin;
  }
};

const std::vector<std::vector<int>> kGroupColumns = {
    {1}, {0}, {7, 0, 3}, {0, 5, 4, 0}, {33, 2, 0, 1, 16}};

template <typename T>
void TestSpmm(const KernelRow& row) {
  const Kernels& k = *row.kernels;
  const SpmmTiles* tiles = k.spmm[GroupIndex(row.group)];
  while (tiles->tail != row.tail) ++tiles;
  const SpmmFn spmm = tiles->kernel[row.vectors - 1];
  Random random(1);
  const size_t tile = static_cast<size_t>(row.vectors) * k.lanes + row.tail;
  for (const std::vector<int>& sizes : kGroupColumns) {
    for (int channels : {1, 3, 16}) {
      for (Edge edge : kEdges) {
        const Groups<T> g(sizes, channels, row.group, &random);
        const uint32_t groups = static_cast<uint32_t>(sizes.size());
        // Planes that begin anywhere; the last one ends with the tile.
        const size_t plane = tile + random.Int(0, 5);
        const Guarded<T> x(random.Floats((channels - 1) * plane + tile), edge);
        const int origin = random.Int(0, channels - 1);  // offsets may go back, too
        std::vector<int32_t> offsets;
        for (uint16_t c : g.columns) {
          offsets.push_back(
              static_cast<int32_t>((c - origin) * static_cast<int>(plane * sizeof(T))));
        }
        const Guarded<int32_t> offset_bytes(offsets);
        const Guarded<uint32_t> begin(g.begin);
        const size_t y_stride = tile + random.Int(0, 1) * 7;
        const size_t outputs = groups * row.group;
        Guarded<T> y((outputs - 1) * y_stride + tile, edge);
        const Limits limits = random.Pick(kLimits);
        const uint32_t first = random.Int(0, 1) * (groups / 2);
        const uint32_t end = groups - random.Int(0, 1) * (groups / 3);
        const bool add = random.Chance(0.5);
        const Guarded<T> added(random.Floats(y.size()), edge);
        spmm({x.data() + origin * plane, y.data(), y_stride, begin.data(), offset_bytes.data(),
              g.weights.data(), g.bias.data(), first, end, limits.lo, limits.hi,
              add ? added.data() : nullptr, nullptr, nullptr, 0});
        for (size_t i = 0; i < y.size(); ++i) {
          const size_t output = i / y_stride, pixel = i % y_stride, of = output / row.group;
          if (pixel >= tile || of < first || of >= end) {
            ASSERT_TRUE(y.Untouched(i)) << i;
            continue;
          }
          double want = g.bias[output] + (add ? float{added[i]} : 0.0f);
          for (uint32_t c = g.begin[of]; c < g.begin[of + 1]; ++c) {
            want += double{g.weights[c * row.group + output % row.group]} *
                    x[g.columns[c] * plane + pixel];
          }
          ASSERT_EQ(y[i], Clamped(want, limits)) << "output " << output << " pixel " << pixel;
        }
        ASSERT_TRUE(y.Intact());
      }
    }
  }
}

// A segment of unstructured weights, see PackedWeights, of `outputs` outputs.
struct UnstructuredSegment {
  std::vector<OutputPair> pairs;
  std::vector<uint16_t> columns;
  std::vector<float> values;
  std::vector<std::vector<std::pair<uint16_t, float>>> weights;  // [outputs]: column, weight

  UnstructuredSegment(int outputs, int inputs, int longest, Random* random) : weights(outputs) {
    std::vector<int> order(outputs);
    for (int o = 0; o < outputs; ++o) {
      order[o] = o;
      std::swap(order[o], order[random->Int(0, o)]);
    }
    const auto step = [&](std::initializer_list<int> served) {
      columns.push_back(static_cast<uint16_t>(random->Int(0, inputs - 1)));
      for (int o : served) {
        values.push_back(random->Floats(1)[0]);
        weights[o].emplace_back(columns.back(), values.back());
      }
    };
    for (int o = 0; o < outputs; o += 2) {
      const int both = random->Int(0, longest), one = random->Int(0, longest);
      const int a = order[o], b = order[o + 1];
      pairs.push_back({{static_cast<uint8_t>(a), static_cast<uint8_t>(b)},
                       static_cast<uint8_t>(both),
                       static_cast<uint8_t>(one)});
      for (int i = 0; i < both; ++i) step({a, b});
      for (int i = 0; i < one; ++i) {
        step({a});
        step({b});
      }
    }
  }
};

template <typename T>
void TestSpmmUnstructured(const KernelRow& row) {
  const Kernels& k = *row.kernels;
  const bool pixel = row.vectors == 0;
  const SpmmTiles* tiles = k.spmm[kUnstructuredKind];
  while (tiles->tail != row.tail) ++tiles;
  const SpmmFn spmm = pixel ? k.spmm_unstructured_pixel : tiles->kernel[row.vectors - 1];
  Random random(21);
  const size_t tile = pixel ? 1 : static_cast<size_t>(row.vectors) * k.lanes + row.tail;
  // Behind a tail of one pixel three more are read.
  const size_t read = tile + (row.tail == 1 ? 3 : 0);
  for (int outputs : {2, 6, kUnstructuredGroup}) {
    for (int channels : {1, 3, 16}) {
      for (Edge edge : kEdges) {
        const UnstructuredSegment s(outputs, channels, outputs > 6 ? 3 : 9, &random);
        const size_t plane = read + random.Int(0, 5);
        const Guarded<T> x(random.Floats((channels - 1) * plane + read), edge);
        std::vector<int32_t> offsets;
        for (uint16_t c : s.columns) {
          offsets.push_back(static_cast<int32_t>(c * plane * sizeof(T)));
        }
        const Guarded<int32_t> offset_bytes(offsets);
        const Guarded<T> weights(s.values);
        const Guarded<OutputPair> pairs(s.pairs);
        const size_t y_stride = tile + random.Int(0, 1) * 7;
        const Guarded<T> bias(random.Floats(outputs));
        Guarded<T> y((outputs - 1) * y_stride + tile, edge);
        const Limits limits = random.Pick(kLimits);
        // As a first block, as one with something to add, as a later one that adds to the output.
        const bool biased = random.Chance(0.5), add = random.Chance(0.6);
        const bool in_place = add && random.Chance(0.5);
        const Guarded<T> added(random.Floats(y.size()), edge);
        if (in_place) std::copy(added.data(), added.data() + added.size(), y.begin());
        spmm({x.data(), y.data(), y_stride, nullptr, offset_bytes.data(), weights.data(),
              biased ? bias.data() : nullptr, 0, static_cast<uint32_t>(pairs.size()), limits.lo,
              limits.hi,
              in_place ? y.data()
              : add    ? added.data()
                       : nullptr,
              pairs.data(), nullptr, 0});
        for (size_t i = 0; i < y.size(); ++i) {
          const size_t output = i / y_stride, pixel = i % y_stride;
          if (pixel >= tile) {
            ASSERT_TRUE(in_place ? y[i] == added[i] : y.Untouched(i)) << i;
            continue;
          }
          double want = (biased ? float{bias[output]} : 0.0f) + (add ? float{added[i]} : 0.0f);
          for (const auto& [column, weight] : s.weights[output]) {
            want += double{weight} * double{x[column * plane + pixel]};
          }
          ASSERT_EQ(y[i], Clamped(want, limits)) << "output " << output << " pixel " << pixel;
        }
        ASSERT_TRUE(y.Intact());
      }
    }
  }
}

template <typename T>
void TestSpmv(const KernelRow& row) {
  const SpmvFn spmv = row.kernels->spmv[GroupIndex(row.group)];
  Random random(2);
  std::vector<std::vector<int>> all_sizes = kGroupColumns;
  for (int n = 1; n <= 36; ++n) all_sizes.push_back({n, n + 1});
  for (const std::vector<int>& sizes : all_sizes) {
    for (int inputs : {1, 4, 50}) {
      for (Edge edge : kEdges) {
        const Groups<T> g(sizes, inputs, row.group, &random);
        const uint32_t groups = static_cast<uint32_t>(sizes.size());
        const Guarded<T> x(random.Floats(inputs), edge);
        const Guarded<uint16_t> columns(g.columns);
        const Guarded<uint32_t> begin(g.begin);
        Guarded<T> y(groups * row.group, edge);
        const Limits limits = random.Pick(kLimits);
        const uint32_t first = random.Int(0, 1) * (groups / 2);
        const uint32_t end = groups - random.Int(0, 1) * (groups / 3);
        spmv({x.data(), y.data(), begin.data(), columns.data(), g.weights.data(), g.bias.data(),
              first, end, limits.lo, limits.hi});
        for (size_t output = 0; output < y.size(); ++output) {
          const size_t of = output / row.group;
          if (of < first || of >= end) {
            ASSERT_TRUE(y.Untouched(output));
            continue;
          }
          double want = g.bias[output];
          for (uint32_t c = g.begin[of]; c < g.begin[of + 1]; ++c) {
            want += double{g.weights[c * row.group + output % row.group]} * x[g.columns[c]];
          }
          ASSERT_EQ(y[output], Clamped(want, limits));
        }
        ASSERT_TRUE(y.Intact());
      }
    }
  }
}

template <typename T>
void TestScaleColumns(const KernelRow& row) {
  Random random(12);
  for (int group : kGroupSizes) {
    for (int count = 0; count <= 20; ++count) {
      for (Edge edge : kEdges) {
        const int inputs = random.Int(1, 30);
        const Guarded<T> factors(random.Floats(inputs), edge);
        const Guarded<T> weights(random.Floats(count * group), edge);
        std::vector<uint16_t> inputs_of(count);
        for (uint16_t& input : inputs_of) input = static_cast<uint16_t>(random.Int(0, inputs - 1));
        const Guarded<uint16_t> columns(inputs_of);
        Guarded<T> y(count * group, edge);
        row.kernels->scale_columns({weights.data(), columns.data(), factors.data(), y.data(),
                                    static_cast<size_t>(count), group});
        for (int i = 0; i < count * group; ++i) {
          ASSERT_EQ(y[i], weights[i] * factors[inputs_of[i / group]]) << "groups of " << group;
        }
        ASSERT_TRUE(y.Intact());
      }
    }
  }
}

}  // namespace

void SpmmAsTheReference(const KernelRow& row) {
  IsFp16(row) ? TestSpmm<Float16>(row) : TestSpmm<float>(row);
}
void SpmmUnstructuredAsTheReference(const KernelRow& row) {
  IsFp16(row) ? TestSpmmUnstructured<Float16>(row) : TestSpmmUnstructured<float>(row);
}
void SpmvAsTheReference(const KernelRow& row) {
  IsFp16(row) ? TestSpmv<Float16>(row) : TestSpmv<float>(row);
}
void ScaleColumnsAsTheReference(const KernelRow& row) {
  IsFp16(row) ? TestScaleColumns<Float16>(row) : TestScaleColumns<float>(row);
}

}  // namespace sbnn
