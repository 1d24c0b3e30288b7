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
    EXPECT_LE(a.offset + a.bytes, arena);
    EXPECT_EQ(a.offset % 64, 0u);
    for (size_t j = 0; j < i; ++j) {
      const Lifetime& b = buffers[j];
      if (a.last < b.first || b.last < a.first) continue;
      EXPECT_TRUE(a.offset + a.bytes <= b.offset || b.offset + b.bytes <= a.offset)
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
      Lifetime b{static_cast<size_t>(random.Int(1, 2000)), first, first + random.Int(0, 9)};
      b.offset = 12345;  // whatever stood there
      const size_t room = (b.bytes + 63) / 64 * 64;
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
  for (int n = 0; n < 30; ++n) buffers.push_back({6400, n, n + 1});
  EXPECT_EQ(PlaceInArena(&buffers), 12800u);
  ExpectPlaced(buffers, 12800);
}

TEST(PlaceInArena, AHoleIsFilled) {
  std::vector<Lifetime> buffers = {{4000, 0, 1}, {3200, 1, 9}, {1280, 2, 3}, {2560, 3, 4}};
  const size_t arena = PlaceInArena(&buffers);
  ExpectPlaced(buffers, arena);
  EXPECT_EQ(arena, 4032u + 3200u);
}

TEST(PlaceInArena, Nothing) {
  std::vector<Lifetime> none;
  EXPECT_EQ(PlaceInArena(&none), 0u);
}

TEST(Buffer, ZeroedAndAlignedAtEverySize) {
  Buffer buffer;
  for (size_t bytes : {40, 4000, 65, 0, 20000, 19999}) {
    ASSERT_TRUE(buffer.Resize(bytes));
    ASSERT_NE(buffer.data(), nullptr);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(buffer.data()) % 64, 0u);
    char* const data = static_cast<char*>(buffer.data());
    EXPECT_TRUE(std::all_of(data, data + bytes, [](char c) { return c == 0; }));
    std::fill(data, data + bytes, 1);
  }
}

TEST(Buffer, TooMuch) {
  Buffer buffer;
  EXPECT_FALSE(buffer.Resize(uint64_t{1} << 62));
  EXPECT_TRUE(buffer.Resize(40));
  EXPECT_EQ(static_cast<const char*>(buffer.data())[39], 0);
}

}  // namespace
}  // namespace sbnn
