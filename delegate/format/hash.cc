#include "delegate/format/hash.h"

#include <cstring>

namespace sbnn {
namespace {

constexpr int kLanes = 8;  // independent multiplications hide each other's latency
constexpr uint64_t kOdd = 0x9e3779b97f4a7c15;

uint64_t Rotate(uint64_t x, int bits) { return x << bits | x >> (64 - bits); }

// One to one in either argument, so that a change of one word is never lost.
uint64_t Mix(uint64_t state, uint64_t word) { return Rotate(state ^ word, 29) * kOdd; }

// Lets every bit of x reach every bit of the result.
uint64_t Spread(uint64_t x) {
  for (int i = 0; i < 2; ++i) x = (x ^ x >> 32) * 0xd6e8feb86659fd93;
  return x ^ x >> 32;
}

}  // namespace

void Hasher::Add(const void* data, size_t bytes) {
  uint64_t state[kLanes];
  for (int i = 0; i < kLanes; ++i) state[i] = kOdd * (2 * i + 1);
  const char* p = static_cast<const char*>(data);
  size_t left = bytes;
  uint64_t words[kLanes];
  for (; left >= sizeof(words); left -= sizeof(words), p += sizeof(words)) {
    std::memcpy(words, p, sizeof(words));
    for (int i = 0; i < kLanes; ++i) state[i] = Mix(state[i], words[i]);
  }
  std::memset(words, 0, sizeof(words));
  if (left > 0) std::memcpy(words, p, left);
  for (int i = 0; i < kLanes; ++i) {
    state[i] = Mix(state[i], words[i]);
    hash_.a = Spread(Mix(hash_.a, state[i]));
    hash_.b = Spread(Mix(hash_.b, ~state[i]) + kOdd);
  }
  hash_.a = Spread(Mix(hash_.a, bytes));
  hash_.b = Spread(Mix(hash_.b, bytes) + kOdd);
}

}  // namespace sbnn
