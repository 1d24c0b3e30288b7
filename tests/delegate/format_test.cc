// Sparse tensors in, packed weights out: delegate/format against encodings written by sparse.h.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "delegate/format/constant.h"
#include "delegate/format/half.h"
#include "delegate/format/packed_weights.h"
#include "gtest/gtest.h"
#include "tests/delegate/random.h"
#include "tests/delegate/sparse.h"

namespace sbnn {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr ColumnCost kCost = {{1.0f, 1.5f, 2.5f, 4.5f}};

size_t Elements(const std::vector<int>& shape) {
  size_t n = 1;
  for (int d : shape) n *= static_cast<size_t>(d);
  return n;
}

size_t Index(const std::vector<int>& shape, const int* at) {
  size_t index = 0;
  for (size_t d = 0; d < shape.size(); ++d) {
    EXPECT_GE(at[d], 0);
    EXPECT_LT(at[d], shape[d]);
    index = index * shape[d] + at[d];
  }
  return index;
}

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

// ---- Halves

TEST(HalfToFloat, EveryHalf) {
  for (int half = 0; half < 65536; ++half) {
    const int exponent = (half >> 10) & 31, mantissa = half & 1023;
    const float found = HalfToFloat(static_cast<uint16_t>(half));
    EXPECT_EQ(std::signbit(found), half >= 32768) << half;
    if (exponent == 31 && mantissa != 0) {
      EXPECT_TRUE(std::isnan(found)) << half;
      continue;
    }
    double size = exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1024 + mantissa, exponent - 25);
    if (exponent == 31) size = std::numeric_limits<double>::infinity();
    EXPECT_EQ(std::fabs(found), size) << half;
  }
}

// Each half is the nearest to all floats between the middles to its neighbours; a middle goes to the
// even one.
TEST(FloatToHalf, TheNearestOfAllHalves) {
  for (uint32_t half = 0; half < 0x7c00; ++half) {
    const float value = HalfToFloat(static_cast<uint16_t>(half));
    const float next = half == 0x7bff ? 65536.0f : HalfToFloat(static_cast<uint16_t>(half + 1));
    const float middle = (value + next) / 2;
    const uint32_t even = half % 2 == 0 ? half : half + 1;
    for (uint32_t sign : {0u, 0x8000u}) {
      const auto to_half = [&](float v) { return uint32_t{FloatToHalf(sign == 0 ? v : -v)}; };
      ASSERT_EQ(to_half(value), half | sign);
      ASSERT_EQ(to_half(std::nextafter(middle, 0.0f)), half | sign);
      ASSERT_EQ(to_half(middle), even | sign);
      ASSERT_EQ(to_half(std::nextafter(middle, next)), (half + 1) | sign);
    }
  }
}

TEST(FloatToHalf, WhatIsNoNumber) {
  const float infinity = std::numeric_limits<float>::infinity();
  for (float large : {65536.0f, 1e30f, infinity}) {
    EXPECT_EQ(FloatToHalf(large), 0x7c00);
    EXPECT_EQ(FloatToHalf(-large), 0xfc00);
  }
  EXPECT_TRUE(std::isnan(HalfToFloat(FloatToHalf(std::numeric_limits<float>::quiet_NaN()))));
  EXPECT_TRUE(std::isnan(HalfToFloat(FloatToHalf(std::numeric_limits<float>::signaling_NaN()))));
}

TEST(Constant, HalvesAtOddAddresses) {
  const uint16_t halves[] = {0x3c00, 0xc500};  // 1, -5
  Guarded<char> odd(5);  // ends where a page does
  std::memcpy(odd.data(), halves, 4);
  Constant c;
  c.shape = {2};
  c.type = ValueType::kFloat16;
  c.values = odd.data();
  c.value_count = 2;
  ASSERT_TRUE(Validate(c).ok());
  EXPECT_EQ(c.Value(0), 1.0f);
  EXPECT_EQ(c.Value(1), -5.0f);
}

// ---- Reading

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

std::vector<int> Shuffled(int begin, int end, Random* random) {
  std::vector<int> v;
  for (int i = begin; i < end; ++i) v.insert(v.begin() + random->Int(0, static_cast<int>(v.size())), i);
  return v;
}

// Any traversal, any blocks, any levels sparse.
SparseFormat RandomFormat(std::vector<int>* shape, Random* random) {
  SparseFormat f;
  const int rank = static_cast<int>(shape->size());
  for (int d : Shuffled(0, rank, random)) {
    if (!random->Chance(0.4)) continue;
    const int block = random->Int(1, 4);
    f.block_map.push_back(d);
    f.block_size.push_back(block);
    (*shape)[d] = block * random->Int(1, 3);
  }
  const int blocks = static_cast<int>(f.block_map.size());
  f.traversal = Shuffled(0, rank, random);
  for (int d : Shuffled(rank, rank + blocks, random)) f.traversal.push_back(d);
  for (int i = 0; i < rank; ++i) f.csr.push_back(random->Chance(0.5));
  return f;
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

// ---- Rejecting

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
    {"SegmentsDecrease", [](Malleable* m) { std::swap(m->segments[1], m->segments[2]); }, kNoChange},
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
        case 0: c.shape[random.Int(0, static_cast<int>(c.shape.size()) - 1)] = number(); break;
        case 1: c.traversal[random.Int(0, static_cast<int>(c.traversal.size()) - 1)] = number(); break;
        case 2: if (!c.block_map.empty()) c.block_map[0] = number(); break;
        case 3: level.dense_size = number(); break;
        case 4: level.csr = !level.csr; break;
        case 5: if (level.csr) level.segments = change(level.segments, level.segment_count); break;
        case 6: if (level.csr) level.indices = change(level.indices, level.index_count); break;
        case 7: if (level.csr) level.segments = shorten(level.segments, &level.segment_count); break;
        case 8: if (level.csr) level.indices = shorten(level.indices, &level.index_count); break;
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
    EXPECT_EQ(Pack(c, nullptr, kCost, &packed).ok(), columns <= 65536);
  }
  EXPECT_GT(accepted, 500);
  EXPECT_GT(rejected, 500);
}

// ---- Packing

void UnpackMixed(const PackedWeights& p, std::vector<float>* dense) {
  const size_t columns = static_cast<size_t>(p.inputs) * p.taps;
  EXPECT_EQ(p.group, kMixedGroup);
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
    const int size = std::min(kMixedGroup, p.outputs - group * kMixedGroup);
    EXPECT_EQ(p.pairs_of(s), static_cast<size_t>(size + 1) / 2);
    std::set<int> outputs;
    for (size_t k = 0; k < p.pairs_of(s); ++k, ++pair) {
      int output[2];
      for (int i = 0; i < 2; ++i) {
        EXPECT_TRUE(outputs.insert(p.pairs[pair].output[i]).second);
        output[i] = group * kMixedGroup + p.pairs[pair].output[i];
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

// The dense filter that packed weights stand for, and that they are in the form that kernels.h asks for.
std::vector<float> Unpack(const PackedWeights& p) {
  const size_t columns = static_cast<size_t>(p.inputs) * p.taps;
  std::vector<float> dense(p.outputs * columns, 0.0f);
  EXPECT_EQ(p.groups(), (p.outputs + p.group - 1) / p.group);
  EXPECT_EQ(p.group_begin.front(), 0u);
  EXPECT_EQ(p.group_begin.back(), p.columns.size());
  EXPECT_EQ(p.bias.size(), static_cast<size_t>(p.lanes()));
  EXPECT_GE(p.lanes(), p.outputs);
  EXPECT_TRUE(Validate(p).ok());
  if (p.mixed()) {
    UnpackMixed(p, &dense);
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
  EXPECT_TRUE(a.pairs.empty() ||
              std::memcmp(a.pairs.data(), b.pairs.data(), a.pairs.size() * sizeof(OutputPair)) == 0);
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
    const std::vector<int> window = random.Pick<std::vector<int>>({{}, {1, 1}, {3, 3}, {1, 5}, {2}});
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
    EXPECT_TRUE(std::all_of(packed.bias.begin(), packed.bias.end(), [](float b) { return b == 0; }));
  }
}

TEST(Pack, FollowsTheCost) {
  Random random(6);
  OwnedConstant owned;
  EncodeDense(random.Filter(16, 10, 1, 0.5), {16, 10}, &owned);
  for (size_t cheap = 0; cheap < kGroupSizes.size(); ++cheap) {
    ColumnCost cost = {{1000, 1000, 1000, 1000}};
    cost.of[cheap] = 1;
    PackedWeights packed;
    ASSERT_TRUE(Pack(owned.constant, nullptr, cost, &packed).ok());
    EXPECT_EQ(packed.group, kGroupSizes[cheap]);
  }
}

TEST(Pack, MixedWhereCheapest) {
  Random random(8);
  for (const double density : {0.1, 0.5, 1.0}) {
    const std::vector<float> dense = random.Filter(18, 50, 1, density);
    OwnedConstant owned;
    EncodeDense(dense, {18, 50}, &owned);
    const size_t weights = ColumnCount(dense, 18, 50, 1);
    const float mixed = weights * 0.5f + ColumnCount(dense, 18, 50, 2) * 0.25f;
    for (const float factor : {0.99f, 1.01f}) {
      // Of the others, groups of one are the cheapest.
      const ColumnCost cost = {{mixed / weights * factor, 1000, 1000, 1000}, 0.5f, 0.25f, 7};
      PackedWeights packed;
      ASSERT_TRUE(Pack(owned.constant, nullptr, cost, &packed).ok());
      EXPECT_EQ(packed.mixed(), factor > 1);
      EXPECT_LE(packed.block, 7);
      EXPECT_GE(packed.values.size(), weights);
      EXPECT_EQ(Unpack(packed), dense);
    }
  }
}

// With rows of a trained network's kind hardly a zero is added, and partners are found that have
// more in common than neighbors do.
TEST(Pack, MixedPartners) {
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
  ASSERT_TRUE(packed.mixed());
  EXPECT_EQ(Unpack(packed), dense);
  const size_t weights = ColumnCount(dense, 300, 96, 1);
  EXPECT_LT(packed.values.size(), 1.02 * weights);
  EXPECT_LT(packed.columns.size(), 0.98 * ColumnCount(dense, 300, 96, 2));
}

// The length of a run is one byte: blocks are that small, and where one input is more, there are none.
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
    EXPECT_EQ(packed.mixed(), taps < 256);
    EXPECT_LE(packed.block * taps, 255);
    EXPECT_EQ(Unpack(packed), dense);
  }
}

TEST(Pack, Halves) {
  Random random(7);
  const std::vector<float> dense = random.Filter(8, 12, 4, 0.5);
  std::vector<uint16_t> halves;
  for (float v : dense) {  // 1, 2, 3, 4 and their negatives
    const uint16_t size[] = {0, 0x3c00, 0x4000, 0x4200, 0x4400};
    halves.push_back(size[static_cast<int>(std::fabs(v))] | (v < 0 ? 0x8000 : 0));
  }
  OwnedConstant owned;
  owned.constant.shape = {8, 12};
  owned.constant.type = ValueType::kFloat16;
  owned.constant.values = owned.Keep(halves);
  owned.constant.value_count = halves.size();
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

// Sixteen bits name a column.
TEST(Pack, ColumnsAreCounted) {
  const struct {
    std::vector<int> shape;
    bool fits;
  } cases[] = {
      {{1, 65536}, true},       {{1, 65537}, false},        {{1, 3, 3, 7281}, true},
      {{1, 3, 3, 7282}, false}, {{2, 256, 256, 1}, true},   {{1, 256, 257, 1}, false},
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
}

}  // namespace
}  // namespace sbnn
