#include "delegate/format/int8_weights.h"

#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "delegate/format/filed_weights.h"
#include "delegate/format/weight_store.h"
#include "gtest/gtest.h"
#include "tests/delegate/random.h"

namespace sbnn {
namespace {

struct Filter {
  std::vector<int8_t> values;  // OHWI
  Constant constant;

  Filter(const std::vector<int>& shape, Random* random, int group, int block, double density,
         int least = -127) {
    size_t columns = 1;
    for (size_t d = 1; d < shape.size(); ++d) columns *= shape[d];
    values.assign(shape[0] * columns, 0);
    for (int o = 0; o < shape[0]; o += group) {
      for (size_t c = 0; c < columns; c += block) {
        if (!random->Chance(density)) continue;
        for (int i = o; i < std::min(shape[0], o + group); ++i) {
          for (size_t k = c; k < std::min(columns, c + block); ++k) {
            values[i * columns + k] = static_cast<int8_t>(random->Int(least, 127));
          }
        }
      }
    }
    constant.shape = shape;
    constant.type = ElementType::kInt8;
    constant.values = values.data();
    constant.value_count = values.size();
  }
};

Int8Outputs Outputs(int count, Random* random) {
  Int8Outputs outputs;
  for (int i = 0; i < count; ++i) {
    outputs.bias.push_back(random->Int(-1000, 1000));
    outputs.scale.push_back(0.001f * static_cast<float>(random->Int(1, 9)));
  }
  outputs.input_offset = random->Int(-128, 255);
  return outputs;
}

// The filter that packed weights are, OHWI; indices that fill up steps add zeros.
std::vector<int> Unpacked(const Int8Weights& w) {
  std::vector<int> values(static_cast<size_t>(w.lanes()) * w.taps * (w.inputs + 3), 0);
  for (int g = 0; g < w.groups(); ++g) {
    for (uint32_t s = w.group_begin[g]; s < w.group_begin[g + 1]; ++s) {
      for (int o = 0; o < w.group; ++o) {
        for (int k = 0; k < 4; ++k) {
          const int index = w.columns != 0 ? w.indices[4 * s + k] : w.indices[s];
          const int input = w.columns != 0 ? index / w.taps : index / w.taps * 4 + k;
          const size_t at =
              (static_cast<size_t>(g * w.group + o) * w.taps + index % w.taps) * (w.inputs + 3) +
              input;
          values[at] += w.weights[(size_t{s} * w.group + o) * 4 + k];
        }
      }
    }
  }
  return values;
}

void ExpectPacked(const Filter& filter, const Int8Outputs& outputs, const Int8Weights& w) {
  ASSERT_TRUE(Plausible(w));
  ASSERT_TRUE(Validate(w).ok()) << Validate(w).message();
  const std::vector<int> unpacked = Unpacked(w);
  for (int o = 0; o < w.lanes(); ++o) {
    int sum = 0;
    for (int t = 0; t < w.taps; ++t) {
      for (int i = 0; i < w.inputs + 3; ++i) {
        const bool there = o < w.outputs && i < w.inputs;
        const int expected =
            there ? filter.values[(static_cast<size_t>(o) * w.taps + t) * w.inputs + i] : 0;
        ASSERT_EQ(unpacked[(static_cast<size_t>(o) * w.taps + t) * (w.inputs + 3) + i], expected);
        sum += expected;
      }
    }
    EXPECT_EQ(w.bias[o], o < w.outputs ? outputs.bias[o] - outputs.input_offset * sum : 0);
    EXPECT_EQ(w.scale[o], o < w.outputs ? outputs.scale[o] : 0.0f);
  }
}

constexpr Int8Cost kCost = {{1.5f, 2.2f, 4}, {4, 4.5f, 5}};

TEST(PackInt8, KeepsWhatIsThere) {
  Random random(1);
  for (const std::vector<int>& shape : std::vector<std::vector<int>>{
           {8, 16}, {4, 1, 1, 7}, {9, 3, 3, 5}, {1, 1}, {6, 2, 1, 13}, {16, 5, 5, 4}}) {
    for (int least : {-127, -128}) {
      const Filter filter(shape, &random, 1, 1, 0.4, least);
      const Int8Outputs outputs = Outputs(shape[0], &random);
      for (int kind = 0; kind < 6; ++kind) {
        Int8Cost cost = {};
        (kind < 3 ? cost.blocks : cost.columns)[kind % 3] = 1;
        Int8Weights w;
        ASSERT_TRUE(Pack(filter.constant, outputs, cost, &w).ok());
        EXPECT_EQ(w.group, kInt8Groups[kind % 3]);
        EXPECT_EQ(w.columns, kind / 3);
        ExpectPacked(filter, outputs, w);
      }
    }
  }
}

TEST(PackInt8, SplitsWeightsOfTheLeast) {
  Random random(2);
  Filter filter({4, 8}, &random, 4, 4, 1);
  for (int8_t& w : filter.values) w = 1;
  filter.values[5] = -128;
  const Int8Outputs outputs = Outputs(4, &random);
  Int8Weights w;
  ASSERT_TRUE(Pack(filter.constant, outputs, {{0, 0, 1}, {}}, &w).ok());
  EXPECT_EQ(w.steps, 3u) << "two blocks, and what one of them lacks";
  ExpectPacked(filter, outputs, w);
}

// What is cheapest follows from where the zeros are.
TEST(PackInt8, ChoosesByTheZeros) {
  Random random(3);
  const auto kind = [&](int group, int block, double density) {
    const Filter filter({64, 1, 1, 64}, &random, group, block, density);
    Int8Weights w;
    EXPECT_TRUE(Pack(filter.constant, Outputs(64, &random), kCost, &w).ok());
    return std::to_string(w.group) + (w.columns != 0 ? "x1" : "x4");
  };
  EXPECT_EQ(kind(4, 4, 1), "4x4");
  EXPECT_EQ(kind(4, 4, 0.3), "4x4");
  EXPECT_EQ(kind(2, 4, 0.3), "2x4");
  EXPECT_EQ(kind(1, 4, 0.2), "1x4");
  EXPECT_EQ(kind(4, 1, 0.3), "4x1");
  EXPECT_EQ(kind(1, 1, 0.01), "1x4") << "a block for each weight costs less than a step of columns";
}

TEST(PackInt8, OfASparseConstantAsOfTheDenseOne) {
  Random random(4);
  const Filter filter({8, 2, 1, 8}, &random, 4, 4, 0.5);
  // Groups of 4 x 4 behind one another: levels O/4, H, W, I/4 (CSR), 4, 4.
  std::vector<int8_t> values;
  std::vector<int32_t> segments = {0}, indices;
  for (int g = 0; g < 2; ++g) {
    for (int t = 0; t < 2; ++t) {
      for (int i = 0; i < 2; ++i) {
        const size_t first = (g * 4 * 2 + t) * 8 + i * 4;
        if (filter.values[first] == 0 && filter.values[first + 1] == 0) continue;
        indices.push_back(i);
        for (int o = 0; o < 4; ++o) {
          for (int k = 0; k < 4; ++k) values.push_back(filter.values[first + o * 16 + k]);
        }
      }
      segments.push_back(static_cast<int32_t>(indices.size()));
    }
  }
  Constant sparse = filter.constant;
  sparse.values = values.data();
  sparse.value_count = values.size();
  sparse.traversal = {0, 1, 2, 3, 4, 5};
  sparse.block_map = {0, 3};
  const auto dense_level = [](int size) {
    SparseLevel level;
    level.dense_size = size;
    return level;
  };
  SparseLevel csr;
  csr.csr = true;
  csr.segments = segments.data();
  csr.segment_count = segments.size();
  csr.indices = indices.data();
  csr.index_count = indices.size();
  sparse.levels = {dense_level(2), dense_level(2), dense_level(1), csr,
                   dense_level(4), dense_level(4)};
  ASSERT_TRUE(Validate(sparse).ok()) << Validate(sparse).message();
  const Int8Outputs outputs = Outputs(8, &random);
  Int8Weights from_sparse, from_dense;
  ASSERT_TRUE(Pack(sparse, outputs, kCost, &from_sparse).ok());
  ASSERT_TRUE(Pack(filter.constant, outputs, kCost, &from_dense).ok());
  ASSERT_EQ(from_sparse.bytes(), from_dense.bytes());
  EXPECT_EQ(std::memcmp(from_sparse.storage.get(), from_dense.storage.get(), from_dense.bytes()),
            0);
  ExpectPacked(filter, outputs, from_sparse);
}

TEST(PackInt8, RefusesOtherTypes) {
  Random random(5);
  Filter filter({4, 4}, &random, 1, 1, 1);
  filter.constant.type = ElementType::kUint8;
  Int8Weights w;
  EXPECT_EQ(Pack(filter.constant, Outputs(4, &random), kCost, &w).message(),
            "expected a filter of int8, found uint8");
}

TEST(Int8WeightStore, SharesAndFiles) {
  Random random(6);
  const Filter filter({8, 1, 1, 16}, &random, 4, 1, 0.5);
  const Int8Outputs outputs = Outputs(8, &random);
  const std::string path = testing::TempDir() + "/int8_weights";
  std::shared_ptr<const Int8Weights> one, two;
  WeightStore store(path);
  ASSERT_TRUE(store.Get(filter.constant, outputs, kCost, "isa", &one).ok());
  ASSERT_TRUE(store.Get(filter.constant, outputs, kCost, "isa", &two).ok());
  EXPECT_EQ(one, two);
  EXPECT_EQ(store.bytes(), 2 * one->bytes());
  for (int change = 0; change < 3; ++change) {
    Int8Outputs other = outputs;
    if (change == 0) ++other.bias[7];
    if (change == 1) other.scale[7] *= 2;
    if (change == 2) ++other.input_offset;
    ASSERT_TRUE(store.Get(filter.constant, other, kCost, "isa", &two).ok());
    EXPECT_NE(one, two) << change;
  }
  ASSERT_TRUE(store.Save().ok());
  const Int8Weights packed = *one;
  const std::vector<char> bytes(static_cast<const char*>(one->storage.get()),
                                static_cast<const char*>(one->storage.get()) + one->bytes());
  one = two = nullptr;
  WeightStore later(path);
  ASSERT_TRUE(later.Get(filter.constant, outputs, kCost, "isa", &one).ok());
  ASSERT_EQ(one->bytes(), bytes.size());
  EXPECT_EQ(std::memcmp(one->storage.get(), bytes.data(), bytes.size()), 0);
  EXPECT_EQ(one->columns, packed.columns);
}

// Hashes can be forged: what a file says is checked.
TEST(Int8Weights, ForgedOnesAreRefused) {
  Random random(7);
  const Filter filter({8, 1, 1, 16}, &random, 4, 1, 0.5);
  Int8Weights good;
  ASSERT_TRUE(Pack(filter.constant, Outputs(8, &random), kCost, &good).ok());
  ASSERT_EQ(good.columns, 1);
  const auto forge = [&](const std::function<void(Int8Weights*)>& change) {
    std::shared_ptr<char> copy(new char[good.bytes()], std::default_delete<char[]>());
    std::memcpy(copy.get(), good.storage.get(), good.bytes());
    auto weights = std::make_shared<Int8Weights>(good, copy);
    change(weights.get());
    FiledWeights filed = Filed(std::shared_ptr<const Int8Weights>(weights));
    filed.bytes = good.bytes();
    std::shared_ptr<const Int8Weights> found;
    return FromFile(filed, &found);
  };
  const auto set = [](const auto& view, size_t i, auto value) {
    const_cast<std::remove_const_t<std::remove_reference_t<decltype(view[0])>>*>(view.data())[i] =
        value;
  };
  EXPECT_TRUE(forge([](Int8Weights*) {}));
  EXPECT_FALSE(forge([](Int8Weights* w) { w->group = 3; }));
  EXPECT_FALSE(forge([](Int8Weights* w) { w->outputs = -8; }));
  EXPECT_FALSE(forge([](Int8Weights* w) { w->inputs = 0; }));
  EXPECT_FALSE(forge([](Int8Weights* w) { w->inputs = 8; }));
  EXPECT_FALSE(forge([](Int8Weights* w) { w->taps = 0; }));
  EXPECT_FALSE(forge([](Int8Weights* w) { w->columns = 2; }));
  EXPECT_FALSE(forge([](Int8Weights* w) { ++w->steps; }));
  EXPECT_FALSE(forge([&](Int8Weights* w) { set(w->indices, 3, 16); }));
  EXPECT_FALSE(forge([&](Int8Weights* w) { set(w->group_begin, 0, 1); }));
  EXPECT_FALSE(forge([&](Int8Weights* w) { set(w->group_begin, 1, 1000); }));
  EXPECT_FALSE(forge([&](Int8Weights* w) { set(w->weights, 0, -128); }));
  FiledWeights floats = Filed(std::make_shared<const Int8Weights>(good));
  floats.kind = FiledKind::kFloats;
  std::shared_ptr<const Int8Weights> found;
  EXPECT_FALSE(FromFile(floats, &found));
}

}  // namespace
}  // namespace sbnn
