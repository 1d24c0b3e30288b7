#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "delegate/format/packed_weights.h"
#include "gtest/gtest.h"
#include "tests/delegate/format/encodings.h"
#include "tests/delegate/random.h"
#include "tests/delegate/sparse.h"

namespace sbnn {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

constexpr ColumnCost kCost = {{1.0f, 1.5f, 2.5f, 4.5f}, 0, 0, 0};

void UnpackUnstructured(const PackedWeights& p, std::vector<float>* dense) {
  const size_t columns = static_cast<size_t>(p.inputs) * p.taps;
  EXPECT_EQ(p.group, kUnstructuredGroup);
  size_t column = 0, value = 0, pair = 0, zeros = 0;
  const auto take = [&](int block, int output) {
    const int input = p.columns[column] / p.taps, tap = p.columns[column] % p.taps;
    EXPECT_EQ(input / p.block, block);
    const float v = p.values[value++];
    zeros += v == 0.0f;
    if (v == 0.0f) return;
    ASSERT_LT(output, p.outputs);
    float& to = (*dense)[output * columns + static_cast<size_t>(tap) * p.inputs + input];
    EXPECT_EQ(to, 0.0f) << "twice";
    to = v;
  };
  for (size_t s = 0; s < p.segments(); ++s) {
    EXPECT_EQ(p.group_begin[s], column);
    EXPECT_EQ(p.PairsOf(s), p.pairs.data() + pair);
    const int block = static_cast<int>(s / p.groups()), group = static_cast<int>(s % p.groups());
    const int size = std::min(kUnstructuredGroup, p.outputs - group * kUnstructuredGroup);
    EXPECT_EQ(p.pairs_of(s), static_cast<size_t>(size + 1) / 2);
    std::set<int> outputs;
    for (size_t k = 0; k < p.pairs_of(s); ++k, ++pair) {
      int output[2];
      for (int i = 0; i < 2; ++i) {
        EXPECT_TRUE(outputs.insert(p.pairs[pair].output[i]).second);
        output[i] = group * kUnstructuredGroup + p.pairs[pair].output[i];
      }
      for (int n = p.pairs[pair].both; n > 0; --n, ++column) {
        for (int o : output) take(block, o);
      }
      for (int n = p.pairs[pair].one; n > 0; --n) {
        for (int o : output) {
          take(block, o);
          ++column;
        }
      }
    }
    EXPECT_EQ(*outputs.rbegin(), static_cast<int>(2 * p.pairs_of(s)) - 1);
  }
  EXPECT_EQ(column, p.columns.size());
  EXPECT_EQ(value, p.values.size());
  EXPECT_EQ(pair, p.pairs.size());
  // An output without weights may have a partner with many; else partners are about equally long.
  EXPECT_LE(zeros, p.values.size() / 2);
}

// The dense filter that packed weights stand for, and that they are in the form that kernels.h asks
// for.
std::vector<float> Unpack(const PackedWeights& p) {
  const size_t columns = static_cast<size_t>(p.inputs) * p.taps;
  std::vector<float> dense(p.outputs * columns, 0.0f);
  EXPECT_EQ(p.groups(), (p.outputs + p.group - 1) / p.group);
  EXPECT_EQ(p.group_begin.front(), 0u);
  EXPECT_EQ(p.group_begin.back(), p.columns.size());
  EXPECT_EQ(p.bias.size(), static_cast<size_t>(p.lanes()));
  EXPECT_GE(p.lanes(), p.outputs);
  EXPECT_TRUE(Validate(p).ok());
  if (p.unstructured()) {
    UnpackUnstructured(p, &dense);
    return dense;
  }
  EXPECT_EQ(p.blocks(), 1);
  EXPECT_TRUE(p.pairs.empty());
  EXPECT_EQ(p.values.size(), p.columns.size() * p.group);
  for (int g = 0; g < p.groups(); ++g) {
    for (uint32_t k = p.group_begin[g]; k < p.group_begin[g + 1]; ++k) {
      if (k > p.group_begin[g]) {
        EXPECT_LT(p.columns[k - 1], p.columns[k]);
      }
      const int input = p.columns[k] / p.taps, tap = p.columns[k] % p.taps;
      EXPECT_LT(input, p.inputs);
      bool kept = false;
      for (int l = 0; l < p.group; ++l) {
        const float value = p.values[k * p.group + l];
        const int output = g * p.group + l;
        if (output >= p.outputs) {
          EXPECT_EQ(value, 0.0f);
          continue;
        }
        kept = kept || value != 0.0f;
        dense[output * columns + static_cast<size_t>(tap) * p.inputs + input] = value;
      }
      EXPECT_TRUE(kept) << "a column of zeros";
    }
  }
  return dense;
}

// Columns that are not all zero, if outputs are taken `group` at a time.
size_t ColumnCount(const std::vector<float>& dense, int outputs, size_t columns, int group) {
  size_t count = 0;
  for (int first = 0; first < outputs; first += group) {
    for (size_t c = 0; c < columns; ++c) {
      bool any = false;
      for (int o = first; o < std::min(outputs, first + group); ++o) {
        any = any || dense[o * columns + c] != 0.0f;
      }
      count += any;
    }
  }
  return count;
}

template <typename A, typename B>
bool SameBits(const A& a, const B& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), 4 * a.size()) == 0);
}

void ExpectSame(const PackedWeights& a, const PackedWeights& b) {
  EXPECT_EQ(a.outputs, b.outputs);
  EXPECT_EQ(a.inputs, b.inputs);
  EXPECT_EQ(a.taps, b.taps);
  EXPECT_EQ(a.group, b.group);
  EXPECT_EQ(a.block, b.block);
  ASSERT_EQ(a.pairs.size(), b.pairs.size());
  EXPECT_TRUE(a.pairs.empty() || std::memcmp(a.pairs.data(), b.pairs.data(),
                                             a.pairs.size() * sizeof(OutputPair)) == 0);
  EXPECT_TRUE(std::equal(a.group_begin.begin(), a.group_begin.end(), b.group_begin.begin(),
                         b.group_begin.end()));
  EXPECT_TRUE(std::equal(a.columns.begin(), a.columns.end(), b.columns.begin(), b.columns.end()));
  EXPECT_TRUE(SameBits(a.values, b.values));
  EXPECT_TRUE(SameBits(a.bias, b.bias));
}

// Fewer where the processor is emulated.
#if defined(__x86_64__)
constexpr int kRounds = 40;

#else
constexpr int kRounds = 10;

#endif

struct PackCase {
  int structure;
  double density;
};

class PackTest : public testing::TestWithParam<PackCase> {};

TEST_P(PackTest, RandomFilters) {
  const auto [structure, density] = GetParam();
  Random random(static_cast<unsigned>(structure * 100 + density * 10));
  for (int round = 0; round < kRounds; ++round) {
    const int outputs = random.Pick<int>({1, 3, 7, 8, 9, 16, 20, 33});
    const int inputs = random.Pick<int>({1, 2, 5, 16, 31});
    const std::vector<int> window =
        random.Pick<std::vector<int>>({{}, {1, 1}, {3, 3}, {1, 5}, {2}});
    std::vector<int> shape = {outputs};
    shape.insert(shape.end(), window.begin(), window.end());
    shape.push_back(inputs);
    const size_t columns = Elements(window) * inputs;
    const std::vector<float> dense = random.Filter(outputs, columns, structure, density);
    const std::vector<float> bias = random.Floats(outputs);
    OwnedConstant owned;
    EncodeDense(dense, shape, &owned);
    PackedWeights packed;
    ASSERT_TRUE(Pack(owned.constant, bias.data(), kCost, &packed).ok());
    EXPECT_EQ(packed.outputs, outputs);
    EXPECT_EQ(packed.inputs, inputs);
    EXPECT_EQ(packed.taps, static_cast<int>(Elements(window)));
    ASSERT_EQ(Unpack(packed), dense);
    for (size_t o = 0; o < packed.bias.size(); ++o) {
      EXPECT_EQ(packed.bias[o], o < bias.size() ? bias[o] : 0.0f);
    }

    // The cheapest group; of equally cheap ones the widest.
    int best = 0;
    float best_cost = std::numeric_limits<float>::infinity();
    for (size_t g = 0; g < kGroupSizes.size(); ++g) {
      const float cost = ColumnCount(dense, outputs, columns, kGroupSizes[g]) * kCost.of[g];
      if (cost <= best_cost) {
        best_cost = cost;
        best = kGroupSizes[g];
      }
    }
    EXPECT_EQ(packed.group, best);
    EXPECT_EQ(packed.columns.size(), ColumnCount(dense, outputs, columns, best));

    // The same values, encoded in any way, give the same weights.
    for (int way = 0; way < 3; ++way) {
      std::vector<int> sparse_shape = shape;
      SparseFormat format = GroupFormat(static_cast<int>(shape.size()), outputs % 4 == 0 ? 4 : 1);
      if (way > 0) {
        format = RandomFormat(&sparse_shape, &random);
        for (size_t k = 0; k < format.block_map.size(); ++k) {  // blocks that divide this shape
          const int d = shape[format.block_map[k]];
          format.block_size[k] = d % 3 == 0 ? 3 : d % 2 == 0 ? 2 : 1;
        }
      }
      OwnedConstant sparse;
      EncodeSparse(dense, shape, format, &sparse, [&](size_t e) { return way == 2 && e % 5 == 0; });
      PackedWeights from_sparse;
      ASSERT_TRUE(Pack(sparse.constant, bias.data(), kCost, &from_sparse).ok());
      ExpectSame(from_sparse, packed);
    }
  }
}

std::vector<PackCase> PackCases() {
  std::vector<PackCase> cases;
  for (int structure : {1, 2, 4, 8, 16}) {
    for (double density : {0.0, 0.1, 0.5, 0.9, 1.0}) cases.push_back({structure, density});
  }
  return cases;
}

INSTANTIATE_TEST_SUITE_P(All, PackTest, testing::ValuesIn(PackCases()), [](const auto& info) {
  return "Group" + std::to_string(info.param.structure) + "Density" +
         std::to_string(static_cast<int>(info.param.density * 100));
});

TEST(Pack, FollowsTheStructureOfTheZeros) {
  // At these costs a group of g costs less than two of g / 2 and more than one.
  Random random(5);
  for (int structure : {1, 2, 4, 8, 16}) {
    OwnedConstant owned;
    EncodeDense(random.Filter(32, 200, structure, 0.2), {32, 200}, &owned);
    PackedWeights packed;
    ASSERT_TRUE(Pack(owned.constant, nullptr, kCost, &packed).ok());
    EXPECT_EQ(packed.group, std::min(structure, 8));
    EXPECT_TRUE(
        std::all_of(packed.bias.begin(), packed.bias.end(), [](float b) { return b == 0; }));
  }
}

TEST(Pack, FollowsTheCost) {
  Random random(6);
  OwnedConstant owned;
  EncodeDense(random.Filter(16, 10, 1, 0.5), {16, 10}, &owned);
  for (size_t cheap = 0; cheap < kGroupSizes.size(); ++cheap) {
    ColumnCost cost = {{1000, 1000, 1000, 1000}, 0, 0, 0};
    cost.of[cheap] = 1;
    PackedWeights packed;
    ASSERT_TRUE(Pack(owned.constant, nullptr, cost, &packed).ok());
    EXPECT_EQ(packed.group, kGroupSizes[cheap]);
  }
}

TEST(Pack, UnstructuredWhereCheapest) {
  Random random(8);
  for (const double density : {0.1, 0.5, 1.0}) {
    const std::vector<float> dense = random.Filter(18, 50, 1, density);
    OwnedConstant owned;
    EncodeDense(dense, {18, 50}, &owned);
    const size_t weights = ColumnCount(dense, 18, 50, 1);
    const float unstructured = weights * 0.5f + ColumnCount(dense, 18, 50, 2) * 0.25f;
    for (const float factor : {0.99f, 1.01f}) {
      // Of the others, groups of one are the cheapest.
      const ColumnCost cost = {{unstructured / weights * factor, 1000, 1000, 1000}, 0.5f, 0.25f, 7};
      PackedWeights packed;
      ASSERT_TRUE(Pack(owned.constant, nullptr, cost, &packed).ok());
      EXPECT_EQ(packed.unstructured(), factor > 1);
      EXPECT_LE(packed.block, 7);
      EXPECT_GE(packed.values.size(), weights);
      EXPECT_EQ(Unpack(packed), dense);
    }
  }
}

// With rows of a trained network's kind hardly a zero is added, and partners are found that have
// more in common than neighbors do.
TEST(Pack, UnstructuredPartners) {
  Random random(9);
  std::vector<float> dense = random.Filter(300, 96, 1, 0.3);
  for (int o = 0; o < 300; ++o) {  // outputs o and 299 - o keep the same inputs
    if (o < 150) continue;
    for (int i = 0; i < 96; ++i) dense[o * 96 + i] = 2 * dense[(299 - o) * 96 + i];
  }
  OwnedConstant owned;
  EncodeDense(dense, {300, 96}, &owned);
  PackedWeights packed;
  const ColumnCost cost = {{1000, 1000, 1000, 1000}, 0.5f, 0.25f, 96};
  ASSERT_TRUE(Pack(owned.constant, nullptr, cost, &packed).ok());
  ASSERT_TRUE(packed.unstructured());
  EXPECT_EQ(Unpack(packed), dense);
  const size_t weights = ColumnCount(dense, 300, 96, 1);
  EXPECT_LT(packed.values.size(), 1.02 * weights);
  EXPECT_LT(packed.columns.size(), 0.98 * ColumnCount(dense, 300, 96, 2));
}

// The length of a run is one byte: blocks are that small, and where one input is more, there are
// none.
TEST(Pack, ManyColumnsOfOneSet) {
  for (const int taps : {1, 9, 100, 255, 256}) {
    const int inputs = std::min(400, 65536 / taps);
    std::vector<float> dense(static_cast<size_t>(3) * taps * inputs, 0.0f);
    std::fill(dense.begin(), dense.begin() + taps * inputs, 2.0f);  // the first output only
    OwnedConstant owned;
    EncodeDense(dense, {3, taps, inputs}, &owned);
    PackedWeights packed;
    const ColumnCost cost = {{2.0f, 2.0f, 2.5f, 4.5f}, 1.0f, 0.25f, 1000};
    ASSERT_TRUE(Pack(owned.constant, nullptr, cost, &packed).ok());
    EXPECT_EQ(packed.unstructured(), taps < 256);
    EXPECT_LE(packed.block * taps, 255);
    EXPECT_EQ(Unpack(packed), dense);
  }
}

TEST(Pack, Float16) {
  Random random(7);
  const std::vector<float> dense = random.Filter(8, 12, 4, 0.5);
  std::vector<uint16_t> float16s;
  for (float v : dense) {  // 1, 2, 3, 4 and their negatives
    const uint16_t size[] = {0, 0x3c00, 0x4000, 0x4200, 0x4400};
    float16s.push_back(size[static_cast<int>(std::fabs(v))] | (v < 0 ? 0x8000 : 0));
  }
  OwnedConstant owned;
  owned.constant.shape = {8, 12};
  owned.constant.type = ElementType::kFloat16;
  owned.constant.values = owned.Keep(float16s);
  owned.constant.value_count = float16s.size();
  PackedWeights packed;
  ASSERT_TRUE(Pack(owned.constant, nullptr, kCost, &packed).ok());
  EXPECT_EQ(Unpack(packed), dense);
}

TEST(Pack, MinusZeroIsZero) {
  Random random(8);
  const std::vector<float> dense = random.Filter(16, 9, 4, 0.4);
  std::vector<float> minus = dense;
  for (float& v : minus) v = v == 0.0f ? -0.0f : v;
  OwnedConstant plain, negative, sparse;
  EncodeDense(dense, {16, 9}, &plain);
  EncodeDense(minus, {16, 9}, &negative);
  EncodeSparse(minus, {16, 9}, GroupFormat(2, 8), &sparse, [](size_t) { return true; });
  PackedWeights from_plain, from_negative, from_sparse;
  ASSERT_TRUE(Pack(plain.constant, nullptr, kCost, &from_plain).ok());
  ASSERT_TRUE(Pack(negative.constant, nullptr, kCost, &from_negative).ok());
  ASSERT_TRUE(Pack(sparse.constant, nullptr, kCost, &from_sparse).ok());
  ExpectSame(from_negative, from_plain);
  ExpectSame(from_sparse, from_plain);
}

TEST(Pack, NotANumberIsKept) {
  std::vector<float> dense(16 * 9, 0.0f);
  dense[7 * 9 + 4] = kNaN;
  dense[12 * 9 + 8] = -std::numeric_limits<float>::infinity();
  for (bool sparse : {false, true}) {
    OwnedConstant owned;
    if (sparse) {
      EncodeSparse(dense, {16, 9}, GroupFormat(2, 4), &owned);
    } else {
      EncodeDense(dense, {16, 9}, &owned);
    }
    PackedWeights packed;
    ASSERT_TRUE(Pack(owned.constant, nullptr, kCost, &packed).ok());
    EXPECT_EQ(packed.columns.size(), 2u);
    EXPECT_TRUE(SameBits(Unpack(packed), dense));
  }
}

TEST(Pack, AllZero) {
  OwnedConstant owned;
  EncodeDense(std::vector<float>(5 * 7, 0.0f), {5, 7}, &owned);
  const std::vector<float> bias = {1, 2, 3, 4, 5};
  PackedWeights packed;
  ASSERT_TRUE(Pack(owned.constant, bias.data(), kCost, &packed).ok());
  EXPECT_TRUE(packed.columns.empty());
  EXPECT_EQ(Unpack(packed), std::vector<float>(35, 0.0f));
  EXPECT_EQ(packed.bias[4], 5.0f);
}

// Weights of one vector come from memory: what has fewer bytes is faster.
TEST(Pack, ForOneVector) {
  Random random(40);
  const struct {
    int structure;
    double density;
    int group;
  } cases[] = {{1, 1, 8},   {1, 0.7, 8}, {1, 0.6, 1}, {1, 0.1, 1},
               {2, 0.5, 2}, {4, 0.5, 4}, {4, 0.9, 8}, {8, 0.1, 8}};
  for (const auto& c : cases) {
    OwnedConstant owned;
    EncodeDense(random.Filter(64, 200, c.structure, c.density), {64, 200}, &owned);
    PackedWeights packed;
    ASSERT_TRUE(Pack(owned.constant, nullptr, kOneVectorCost, &packed).ok());
    EXPECT_EQ(packed.group, c.group) << c.structure << ' ' << c.density;
  }
}

// Sixteen bits name a column.
TEST(Pack, ColumnsAreCounted) {
  const struct {
    std::vector<int> shape;
    bool fits;
  } cases[] = {
      {{1, 65536}, true},       {{1, 65537}, false},      {{1, 3, 3, 7281}, true},
      {{1, 3, 3, 7282}, false}, {{2, 256, 256, 1}, true}, {{1, 256, 257, 1}, false},
  };
  for (const auto& c : cases) {
    std::vector<float> dense(Elements(c.shape), 0.0f);
    dense.back() = 3;
    OwnedConstant owned;
    EncodeDense(dense, c.shape, &owned);
    PackedWeights packed;
    const Status status = Pack(owned.constant, nullptr, kCost, &packed);
    EXPECT_EQ(status.ok(), c.fits) << status.message();
    if (c.fits) {
      EXPECT_EQ(Unpack(packed), dense);
    }
  }
}

TEST(Pack, RefusesWhatIsNoFilter) {
  OwnedConstant owned;
  EncodeDense({1, 2, 3}, {3}, &owned);
  PackedWeights packed;
  EXPECT_FALSE(Pack(owned.constant, nullptr, kCost, &packed).ok());
  const int8_t int8s[] = {1, 2, 3, 4};
  Constant quantized;
  quantized.shape = {2, 2};
  quantized.type = ElementType::kInt8;
  quantized.values = int8s;
  quantized.value_count = 4;
  EXPECT_EQ(Pack(quantized, nullptr, kCost, &packed).message(),
            "expected a filter of floats, found int8");
}

}  // namespace
}  // namespace sbnn
