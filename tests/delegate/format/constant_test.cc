#include <algorithm>
#include <cstring>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "delegate/format/constant.h"
#include "delegate/format/packed_weights.h"
#include "gtest/gtest.h"
#include "tests/delegate/format/encodings.h"
#include "tests/delegate/random.h"
#include "tests/delegate/sparse.h"

namespace sbnn {
namespace {

// What ForEachStored says, as element -> value; fails where an element comes twice.
std::map<size_t, float> Stored(const Constant& c) {
  std::map<size_t, float> stored;
  ForEachStored(c, [&](const int* at, float value) {
    EXPECT_TRUE(stored.emplace(Index(c.shape, at), value).second) << "stored twice";
  });
  return stored;
}

std::map<size_t, float> NonZeros(const std::vector<float>& dense) {
  std::map<size_t, float> values;
  for (size_t i = 0; i < dense.size(); ++i) {
    if (dense[i] != 0.0f) values[i] = dense[i];
  }
  return values;
}

TEST(Constant, Float16AtOddAddresses) {
  const uint16_t float16s[] = {0x3c00, 0xc500};  // 1, -5
  Guarded<char> odd(5);                          // ends where a page does
  std::memcpy(odd.data(), float16s, 4);
  Constant c;
  c.shape = {2};
  c.type = ElementType::kFloat16;
  c.values = odd.data();
  c.value_count = 2;
  ASSERT_TRUE(Validate(c).ok());
  EXPECT_EQ(c.Value(0), 1.0f);
  EXPECT_EQ(c.Value(1), -5.0f);
}

TEST(Constant, ValuesOfEveryType) {
  const int8_t int8s[] = {-128, 127};
  const uint8_t uint8s[] = {0, 255};
  const int32_t int32s[] = {-70000, 1 << 24};
  const struct {
    ElementType type;
    const void* values;
    float first, second;
  } cases[] = {{ElementType::kInt8, int8s, -128, 127},
               {ElementType::kUint8, uint8s, 0, 255},
               {ElementType::kInt32, int32s, -70000, 1 << 24}};
  for (const auto& c : cases) {
    Constant constant;
    constant.shape = {2};
    constant.type = c.type;
    constant.values = c.values;
    constant.value_count = 2;
    EXPECT_EQ(constant.Value(0), c.first) << NameOf(c.type);
    EXPECT_EQ(constant.Value(1), c.second) << NameOf(c.type);
  }
}

// The example of TensorFlow's schema and of its converter's tests, written out by hand.
const std::vector<float> kExample = {1, 0, 2, 3,  //
                                     0, 4, 0, 0,  //
                                     0, 0, 5, 0,  //
                                     0, 0, 0, 6};

SparseLevel DenseLevel(int size) {
  SparseLevel level;
  level.dense_size = size;
  return level;
}

struct Example {
  std::vector<int> traversal, block_map;
  std::vector<int32_t> segments, indices;  // of the level `sparse`
  int first_size;                          // of the level before it
  std::vector<float> values;
};

TEST(ForEachStored, ExamplesByHand) {
  const std::vector<Example> examples = {
      {{0, 1}, {}, {0, 3, 4, 5, 6}, {0, 2, 3, 1, 2, 3}, 4, {1, 2, 3, 4, 5, 6}},
      {{1, 0}, {}, {0, 1, 2, 4, 6}, {0, 1, 0, 2, 0, 3}, 4, {1, 4, 2, 5, 3, 6}},
      {{0, 1, 2, 3}, {0, 1}, {0, 2, 3}, {0, 1, 1}, 2, {1, 0, 0, 4, 2, 3, 0, 0, 5, 0, 0, 6}},
      {{1, 0, 2, 3}, {0, 1}, {0, 1, 3}, {0, 0, 1}, 2, {1, 0, 0, 4, 2, 3, 0, 0, 5, 0, 0, 6}},
      {{0, 1, 3, 2}, {0, 1}, {0, 2, 3}, {0, 1, 1}, 2, {1, 0, 0, 4, 2, 0, 3, 0, 5, 0, 0, 6}},
      // The same in other words: block 2 is of dimension 1, block 3 of dimension 0.
      {{0, 1, 3, 2}, {1, 0}, {0, 2, 3}, {0, 1, 1}, 2, {1, 0, 0, 4, 2, 3, 0, 0, 5, 0, 0, 6}},
  };
  for (const Example& e : examples) {
    Constant c;
    c.shape = {4, 4};
    c.traversal = e.traversal;
    c.block_map = e.block_map;
    SparseLevel sparse;
    sparse.csr = true;
    sparse.segments = e.segments.data();
    sparse.segment_count = e.segments.size();
    sparse.indices = e.indices.data();
    sparse.index_count = e.indices.size();
    c.levels = {DenseLevel(e.first_size), sparse};
    for (size_t b = 0; b < e.block_map.size(); ++b) c.levels.push_back(DenseLevel(2));
    c.values = e.values.data();
    c.value_count = e.values.size();
    const Status status = Validate(c);
    ASSERT_TRUE(status.ok()) << status.message();
    EXPECT_EQ(Stored(c), NonZeros(kExample));
  }
}

TEST(ForEachStored, DenseInOrderWithZeros) {
  const std::vector<float> values = {0, 1, -2, 0, 3, 4, 5, 0, 0, 6, 7, 8};
  OwnedConstant owned;
  EncodeDense(values, {2, 3, 2}, &owned);
  ASSERT_TRUE(Validate(owned.constant).ok());
  std::vector<float> found;
  ForEachStored(owned.constant, [&](const int* at, float value) {
    EXPECT_EQ(Index({2, 3, 2}, at), found.size());
    found.push_back(value);
  });
  EXPECT_EQ(found, values);
}

TEST(ForEachStored, AnyTraversalAndBlocks) {
  Random random(1);
  for (int round = 0; round < 300; ++round) {
    std::vector<int> shape;
    for (int rank = random.Int(1, 4); rank > 0; --rank) shape.push_back(random.Int(1, 5));
    const SparseFormat format = RandomFormat(&shape, &random);
    std::vector<float> dense(Elements(shape), 0.0f);
    const double density = random.Pick<double>({0.0, 0.2, 0.6, 1.0});
    for (float& v : dense) v = random.Chance(density) ? random.NonZero() : 0.0f;
    const bool extras = random.Chance(0.5);
    OwnedConstant owned;
    EncodeSparse(dense, shape, format, &owned,
                 [&](size_t element) { return extras && element % 3 == 0; });
    const Status status = Validate(owned.constant);
    ASSERT_TRUE(status.ok()) << status.message();
    ASSERT_EQ(Stored(owned.constant), NonZeros(dense)) << "round " << round;
  }
}

TEST(ForEachStored, EightDimensionsAllBlocked) {
  Random random(2);
  const std::vector<int> shape(8, 2);
  SparseFormat format;
  format.traversal = Shuffled(0, 8, &random);
  for (int d : Shuffled(8, 16, &random)) format.traversal.push_back(d);
  format.block_map = Shuffled(0, 8, &random);
  format.block_size = {2, 1, 2, 1, 2, 1, 2, 1};
  format.csr = std::vector<bool>(8, true);
  std::vector<float> dense(256);
  for (float& v : dense) v = random.Chance(0.3) ? random.NonZero() : 0.0f;
  OwnedConstant owned;
  EncodeSparse(dense, shape, format, &owned);
  ASSERT_TRUE(Validate(owned.constant).ok());
  EXPECT_EQ(Stored(owned.constant), NonZeros(dense));
}

// A valid [8, 2, 6] tensor in groups of 4, whose arrays a test may change before it is looked at.
struct Malleable {
  Constant c;
  std::vector<int32_t> segments, indices;
  std::vector<float> values;

  Malleable() {
    Random random(3);
    OwnedConstant owned;
    EncodeSparse(random.Filter(8, 12, 4, 0.6), {8, 2, 6}, GroupFormat(3, 4), &owned);
    c = owned.constant;
    const SparseLevel& l = c.levels[2];
    segments.assign(l.segments, l.segments + l.segment_count);
    indices.assign(l.indices, l.indices + l.index_count);
    const float* const v = static_cast<const float*>(c.values);
    values.assign(v, v + c.value_count);
  }
};

// Validates a copy whose arrays end at unmapped pages.
Status Check(const Malleable& m, const std::function<void(Constant*)>& last) {
  OwnedConstant owned;
  owned.constant = m.c;
  Constant& c = owned.constant;
  SparseLevel& l = c.levels[2];
  l.segments = owned.Keep(m.segments);
  l.segment_count = m.segments.size();
  l.indices = owned.Keep(m.indices);
  l.index_count = m.indices.size();
  c.values = owned.Keep(m.values);
  c.value_count = m.values.size();
  last(&c);
  return Validate(c);
}

TEST(Validate, AcceptsWhatTheOthersStartFrom) {
  Malleable m;
  ASSERT_GE(m.indices.size(), 12u);
  ASSERT_GE(m.segments[1], 2);
  const Status status = Check(m, [](Constant*) {});
  EXPECT_TRUE(status.ok()) << status.message();
}

struct Damage {
  const char* name;
  std::function<void(Malleable*)> arrays;
  std::function<void(Constant*)> constant;
};

const std::function<void(Malleable*)> kNoArray = [](Malleable*) {};

const std::function<void(Constant*)> kNoChange = [](Constant*) {};

constexpr int kMax = std::numeric_limits<int>::max();

constexpr int kMin = std::numeric_limits<int>::min();

const std::vector<Damage> kDamages = {
    {"SegmentsDecrease", [](Malleable* m) { std::swap(m->segments[1], m->segments[2]); },
     kNoChange},
    {"SegmentsBeginLate", [](Malleable* m) { m->segments[0] = 1; }, kNoChange},
    {"SegmentsBeginNegative", [](Malleable* m) { m->segments[0] = -1; }, kNoChange},
    {"SegmentNegative", [](Malleable* m) { m->segments[1] = -5; }, kNoChange},
    {"SegmentHuge", [](Malleable* m) { m->segments[1] = kMax; }, kNoChange},
    {"SegmentsHugeToTheEnd",
     [](Malleable* m) { std::fill(m->segments.begin() + 1, m->segments.end(), kMax); }, kNoChange},
    {"LastSegmentTooLong", [](Malleable* m) { ++m->segments.back(); }, kNoChange},
    {"LastSegmentTooShort", [](Malleable* m) { --m->segments.back(); }, kNoChange},
    {"LastSegmentSmallest", [](Malleable* m) { m->segments.back() = kMin; }, kNoChange},
    {"SegmentMissing", [](Malleable* m) { m->segments.pop_back(); }, kNoChange},
    {"SegmentTooMany", [](Malleable* m) { m->segments.push_back(m->segments.back()); }, kNoChange},
    {"NoSegments", [](Malleable* m) { m->segments.clear(); }, kNoChange},
    {"IndexPastTheEnd", [](Malleable* m) { m->indices.back() = 6; }, kNoChange},
    {"IndexHuge", [](Malleable* m) { m->indices[3] = kMax; }, kNoChange},
    {"IndexNegative", [](Malleable* m) { m->indices[0] = -1; }, kNoChange},
    {"IndexTwice", [](Malleable* m) { m->indices[1] = m->indices[0]; }, kNoChange},
    {"IndicesDecrease", [](Malleable* m) { std::swap(m->indices[0], m->indices[1]); }, kNoChange},
    {"IndexMissing", [](Malleable* m) { m->indices.pop_back(); }, kNoChange},
    {"IndexTooMany", [](Malleable* m) { m->indices.push_back(5); }, kNoChange},
    {"NoIndices", [](Malleable* m) { m->indices.clear(); }, kNoChange},
    {"ValueMissing", [](Malleable* m) { m->values.pop_back(); }, kNoChange},
    {"ValueTooMany", [](Malleable* m) { m->values.push_back(1); }, kNoChange},
    {"NoValues", [](Malleable* m) { m->values.clear(); }, kNoChange},
    {"ValuesNull", kNoArray, [](Constant* c) { c->values = nullptr; }},
    {"SegmentsNull", kNoArray, [](Constant* c) { c->levels[2].segments = nullptr; }},
    {"IndicesNull", kNoArray, [](Constant* c) { c->levels[2].indices = nullptr; }},
    {"BlockDoesNotDivide", kNoArray, [](Constant* c) { c->levels[3].dense_size = 3; }},
    {"BlockOfAnotherSize", kNoArray, [](Constant* c) { c->levels[3].dense_size = 2; }},
    {"BlockWiderThanDimension", kNoArray, [](Constant* c) { c->levels[3].dense_size = 16; }},
    {"BlockZero", kNoArray, [](Constant* c) { c->levels[3].dense_size = 0; }},
    {"BlockNegative", kNoArray, [](Constant* c) { c->levels[3].dense_size = -4; }},
    {"BlockSmallest", kNoArray, [](Constant* c) { c->levels[3].dense_size = kMin; }},
    {"BlockSparse", kNoArray,
     [](Constant* c) {
       c->levels[3] = c->levels[2];
       c->levels[3].dense_size = 4;
     }},
    {"BlockMapPastTheEnd", kNoArray, [](Constant* c) { c->block_map[0] = 3; }},
    {"BlockMapNegative", kNoArray, [](Constant* c) { c->block_map[0] = -1; }},
    {"BlockMapElsewhere", kNoArray, [](Constant* c) { c->block_map[0] = 1; }},
    {"BlockMapMissing", kNoArray, [](Constant* c) { c->block_map.clear(); }},
    {"BlockMapTooLong", kNoArray, [](Constant* c) { c->block_map.push_back(1); }},
    {"BlockedTwice", kNoArray,
     [](Constant* c) {
       c->block_map = {0, 0};
       c->traversal.push_back(4);
       c->levels.push_back(c->levels[3]);
       c->levels[3].dense_size = c->levels[4].dense_size = 2;
     }},
    {"TraversalTwice", kNoArray, [](Constant* c) { c->traversal = {0, 0, 2, 3}; }},
    {"TraversalNegative", kNoArray, [](Constant* c) { c->traversal[1] = -1; }},
    {"TraversalPastTheEnd", kNoArray, [](Constant* c) { c->traversal[3] = 4; }},
    {"TraversalHuge", kNoArray, [](Constant* c) { c->traversal[0] = kMax; }},
    {"TraversalBlockFirst", kNoArray, [](Constant* c) { c->traversal = {3, 0, 1, 2}; }},
    {"TraversalMissing", kNoArray, [](Constant* c) { c->traversal.clear(); }},
    {"TraversalShort", kNoArray, [](Constant* c) { c->traversal.pop_back(); }},
    {"TraversalLong", kNoArray, [](Constant* c) { c->traversal.push_back(4); }},
    {"LevelMissing", kNoArray, [](Constant* c) { c->levels.pop_back(); }},
    {"LevelTooMany", kNoArray, [](Constant* c) { c->levels.push_back(c->levels[3]); }},
    {"DenseLevelTooLong", kNoArray, [](Constant* c) { c->levels[0].dense_size = 8; }},
    {"DenseLevelZero", kNoArray, [](Constant* c) { c->levels[1].dense_size = 0; }},
    {"DenseLevelNegative", kNoArray, [](Constant* c) { c->levels[1].dense_size = -2; }},
    {"DenseLevelHuge", kNoArray, [](Constant* c) { c->levels[1].dense_size = kMax; }},
    {"RankZero", kNoArray, [](Constant* c) { c->shape.clear(); }},
    {"RankLower", kNoArray, [](Constant* c) { c->shape.pop_back(); }},
    {"RankHigher", kNoArray, [](Constant* c) { c->shape.push_back(1); }},
    {"RankNine", kNoArray,
     [](Constant* c) {
       c->shape = std::vector<int>(9, 1);
       c->traversal = {0, 1, 2, 3, 4, 5, 6, 7, 8};
       c->block_map.clear();
       c->levels.assign(9, DenseLevel(1));
       c->value_count = 1;
     }},
    {"DimensionZero", kNoArray, [](Constant* c) { c->shape[1] = 0; }},
    {"DimensionNegative", kNoArray, [](Constant* c) { c->shape[1] = -2; }},
    {"DimensionsHuge", kNoArray, [](Constant* c) { c->shape = {kMax, kMax, kMax}; }},
    // 2^64: a product in 64 bits wraps to 0.
    {"DimensionsWrap", kNoArray,
     [](Constant* c) { c->shape = {1 << 16, 1 << 16, 1 << 16, 1 << 16}; }},
    {"OtherShape", kNoArray, [](Constant* c) { c->shape = {8, 6, 2}; }},
};

class ValidateRejects : public testing::TestWithParam<Damage> {};

TEST_P(ValidateRejects, Damage) {
  Malleable m;
  GetParam().arrays(&m);
  const Status status = Check(m, GetParam().constant);
  EXPECT_FALSE(status.ok());
  EXPECT_NE(status.message(), "");
}

INSTANTIATE_TEST_SUITE_P(All, ValidateRejects, testing::ValuesIn(kDamages),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(Validate, DenseTensors) {
  const std::vector<float> values(24, 1.0f);
  const auto check = [&](const std::vector<int>& shape, size_t count) {
    Constant c;
    c.shape = shape;
    c.values = values.data();
    c.value_count = count;
    return Validate(c).ok();
  };
  EXPECT_TRUE(check({2, 3, 4}, 24));
  EXPECT_TRUE(check({24}, 24));
  EXPECT_TRUE(check({1, 1, 1, 2, 3, 4, 1, 1}, 24));
  EXPECT_FALSE(check({2, 3, 4}, 23));
  EXPECT_FALSE(check({2, 3, 4}, 25));
  EXPECT_FALSE(check({2, 3, 4}, 0));
  EXPECT_FALSE(check({}, 1));
  EXPECT_FALSE(check({1, 1, 1, 1, 2, 3, 4, 1, 1}, 24));
  EXPECT_FALSE(check({2, 0, 4}, 0));
  EXPECT_FALSE(check({-2, -3, 4}, 24));
  EXPECT_FALSE(check({kMax, kMax, kMax, kMax}, 24));
  EXPECT_FALSE(check({1 << 16, 1 << 16, 1 << 16, 1 << 16}, 0));
}

// Random damage: whatever Validate lets pass can be read without leaving an array or the shape.
TEST(Validate, SurvivesRandomDamage) {
  Random random(4);
  const auto number = [&] {
    return random.Chance(0.2) ? random.Pick<int>({kMin, kMax, -1, 0, 65536}) : random.Int(-1, 9);
  };
  int accepted = 0, rejected = 0;
  for (int round = 0; round < 4000; ++round) {
    std::vector<int> shape;
    for (int rank = random.Int(1, 4); rank > 0; --rank) shape.push_back(random.Int(1, 4));
    const SparseFormat format = RandomFormat(&shape, &random);
    std::vector<float> dense(Elements(shape));
    for (float& v : dense) v = random.Chance(0.5) ? random.NonZero() : 0.0f;
    OwnedConstant owned;
    EncodeSparse(dense, shape, format, &owned);
    Constant& c = owned.constant;
    for (int damages = random.Int(0, 2); damages > 0; --damages) {
      SparseLevel& level = c.levels[random.Int(0, static_cast<int>(c.levels.size()) - 1)];
      const auto change = [&](const int32_t* from, size_t count) {
        std::vector<int32_t> v(from, from + count);
        if (!v.empty()) v[random.Int(0, static_cast<int>(v.size()) - 1)] = number();
        return owned.Keep(v);
      };
      const auto shorten = [&](const int32_t* from, size_t* count) {
        if (*count > 0) --*count;
        return owned.Keep(std::vector<int32_t>(from, from + *count));
      };
      switch (random.Int(0, 9)) {
        case 0:
          c.shape[random.Int(0, static_cast<int>(c.shape.size()) - 1)] = number();
          break;
        case 1:
          c.traversal[random.Int(0, static_cast<int>(c.traversal.size()) - 1)] = number();
          break;
        case 2:
          if (!c.block_map.empty()) c.block_map[0] = number();
          break;
        case 3:
          level.dense_size = number();
          break;
        case 4:
          level.csr = !level.csr;
          break;
        case 5:
          if (level.csr) level.segments = change(level.segments, level.segment_count);
          break;
        case 6:
          if (level.csr) level.indices = change(level.indices, level.index_count);
          break;
        case 7:
          if (level.csr) level.segments = shorten(level.segments, &level.segment_count);
          break;
        case 8:
          if (level.csr) level.indices = shorten(level.indices, &level.index_count);
          break;
        case 9:
          if (c.value_count > 0) --c.value_count;
          c.values = owned.Keep(std::vector<float>(c.value_count, 1.0f));
          break;
      }
    }
    if (!Validate(c).ok()) {
      ++rejected;
      continue;
    }
    ++accepted;
    ForEachStored(c, [&](const int* at, float) { Index(c.shape, at); });
    PackedWeights packed;
    if (c.shape.size() < 2 || c.shape[0] > 65536) continue;
    const size_t columns = Elements(c.shape) / c.shape[0];
    EXPECT_EQ(Pack(c, nullptr, kOneVectorCost, &packed).ok(), columns <= 65536);
  }
  EXPECT_GT(accepted, 500);
  EXPECT_GT(rejected, 500);
}

}  // namespace
}  // namespace sbnn
