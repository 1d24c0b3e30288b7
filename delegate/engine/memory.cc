#include "delegate/engine/memory.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <numeric>

#include "delegate/engine/tensor.h"
#include "delegate/format/aligned_memory.h"

namespace sbnn {
namespace {

constexpr size_t kLine = 64;  // bytes of a cache line

}  // namespace

uint64_t PlaceInArena(std::vector<Lifetime>* buffers) {
  std::vector<size_t> order(buffers->size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return (*buffers)[a].bytes > (*buffers)[b].bytes; });
  uint64_t total = 0;
  std::vector<const Lifetime*> placed;  // by offset
  for (size_t index : order) {
    Lifetime& buffer = (*buffers)[index];
    const uint64_t bytes = RoundUp(buffer.bytes, kLine);
    uint64_t offset = 0;
    for (const Lifetime* other : placed) {
      if (other->last < buffer.first || buffer.last < other->first) continue;
      if (offset + bytes <= other->offset) break;
      offset = std::max(offset, other->offset + RoundUp(other->bytes, kLine));
    }
    buffer.offset = offset;
    total = std::max(total, offset + bytes);
    placed.insert(std::upper_bound(
                      placed.begin(), placed.end(), &buffer,
                      [](const Lifetime* a, const Lifetime* b) { return a->offset < b->offset; }),
                  &buffer);
  }
  return total;
}

bool Buffer::Resize(uint64_t wanted) {
  if (wanted > std::numeric_limits<size_t>::max() / 2) return false;
  const size_t bytes = std::max<size_t>(static_cast<size_t>(wanted), 1);
  if (bytes > bytes_) {
    Free();
    data_ = AllocateAligned(bytes);
    if (data_ == nullptr) return false;
    bytes_ = bytes;
  }
  std::memset(data_, 0, bytes);
  return true;
}

void Buffer::Free() {
  if (data_ != nullptr) FreeAligned(data_, bytes_);
  data_ = nullptr;
  bytes_ = 0;
}

}  // namespace sbnn
