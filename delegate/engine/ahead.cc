#include "delegate/engine/ahead.h"

#include <algorithm>

namespace sbnn {
namespace {

constexpr size_t kLine = 64;

// No more than this before it is used, or it would be gone from an L2 cache of 1 MB by then.
constexpr uint64_t kFarthest = 1 << 20;

}  // namespace

void Ahead::Clear() {
  ranges_.clear();
  range_end_.clear();
  step_begin_.assign(1, 0);
}

void Ahead::Add(const Range& range) {
  if (range.bytes == 0) return;
  range_end_.push_back((range_end_.empty() ? 0 : range_end_.back()) + range.bytes);
  ranges_.push_back(range);
}

void Ahead::EndStep() { step_begin_.push_back(range_end_.empty() ? 0 : range_end_.back()); }

void Ahead::Begin(size_t step) {
  const uint64_t begin = step_begin_[step];
  limit_ = std::min(begin + kFarthest, step_begin_.back());
  // (The first step starts anew.)
  const uint64_t done = step == 0 ? 0 : next_.load(std::memory_order_relaxed);
  next_.store(std::max(done, begin), std::memory_order_relaxed);
}

Ahead::Lines Ahead::Take(size_t count) {
  // Two threads may take the same, which does no harm.
  const uint64_t first = next_.load(std::memory_order_relaxed);
  if (first >= limit_ || count == 0) return {};
  const size_t r =
      std::upper_bound(range_end_.begin(), range_end_.end(), first) - range_end_.begin();
  const uint64_t bytes = std::min<uint64_t>(count * kLine, range_end_[r] - first);
  next_.store(first + bytes, std::memory_order_relaxed);
  const char* const end = static_cast<const char*>(ranges_[r].begin) + ranges_[r].bytes;
  return {end - (range_end_[r] - first), static_cast<size_t>((bytes + count - 1) / count)};
}

}  // namespace sbnn
