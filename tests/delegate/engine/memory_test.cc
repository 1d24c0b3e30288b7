#include "delegate/engine/memory.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "gtest/gtest.h"
#include "tests/delegate/random.h"

namespace sbnn {
namespace {

// Every two buffers that live at once lie apart, inside of the arena, at cache lines.
void ExpectPlaced(const std::vector<Lifetime>& buffers, size_t arena) {
  for (size_t i = 0; i < buffers.size(); ++i) {
    const Lifetime& a = buffers[i];
    EXPECT_LE(a.offset + a.floats, arena);
    EXPECT_EQ(a.offset % 16, 0u);
    for (size_t j = 0; j < i; ++j) {
      const Lifetime& b = buffers[j];
      if (a.last < b.first || b.last < a.first) continue;
      EXPECT_TRUE(a.offset + a.floats <= b.offset || b.offset + b.floats <= a.offset)
          << i << " and " << j << " overlap";
    }
  }
}

TEST(PlaceInArena, RandomLifetimes) {
  Random random(1);
  for (int round = 0; round < 500; ++round) {
    std::vector<Lifetime> buffers;
    size_t sum = 0;
    std::vector<size_t> live(30, 0);
    for (int n = random.Int(0, 40); n > 0; --n) {
      const int first = random.Int(0, 20);
      Lifetime b{static_cast<size_t>(random.Int(1, 500)), first, first + random.Int(0, 9)};
      b.offset = 12345;  // whatever stood there
      const size_t room = (b.floats + 15) / 16 * 16;
      sum += room;
      for (int t = b.first; t <= b.last; ++t) live[t] += room;
      buffers.push_back(b);
    }
    const size_t arena = PlaceInArena(&buffers);
    ExpectPlaced(buffers, arena);
    EXPECT_LE(arena, sum);
    EXPECT_GE(arena, *std::max_element(live.begin(), live.end()));
  }
}

TEST(PlaceInArena, AChainTakesTheRoomOfTwo) {
  std::vector<Lifetime> buffers;
  for (int n = 0; n < 30; ++n) buffers.push_back({1600, n, n + 1});
  EXPECT_EQ(PlaceInArena(&buffers), 3200u);
  ExpectPlaced(buffers, 3200);
}

TEST(PlaceInArena, AHoleIsFilled) {
  std::vector<Lifetime> buffers = {{1000, 0, 1}, {800, 1, 9}, {320, 2, 3}, {640, 3, 4}};
  const size_t arena = PlaceInArena(&buffers);
  ExpectPlaced(buffers, arena);
  EXPECT_EQ(arena, 1008u + 800u);
}

TEST(PlaceInArena, Nothing) {
  std::vector<Lifetime> none;
  EXPECT_EQ(PlaceInArena(&none), 0u);
}

TEST(FloatBuffer, ZeroedAndAlignedAtEverySize) {
  FloatBuffer buffer;
  for (size_t floats : {10, 1000, 17, 0, 5000, 4999}) {
    ASSERT_TRUE(buffer.Resize(floats));
    ASSERT_NE(buffer.data(), nullptr);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(buffer.data()) % 64, 0u);
    EXPECT_TRUE(std::all_of(buffer.data(), buffer.data() + floats, [](float f) { return f == 0; }));
    std::fill(buffer.data(), buffer.data() + floats, 1.0f);
  }
}

TEST(FloatBuffer, TooMuch) {
  FloatBuffer buffer;
  EXPECT_FALSE(buffer.Resize(uint64_t{1} << 60));
  EXPECT_TRUE(buffer.Resize(10));
  EXPECT_EQ(buffer.data()[9], 0.0f);
}

}  // namespace
}  // namespace sbnn
