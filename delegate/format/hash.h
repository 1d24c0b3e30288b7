// A fast hash of much data, to tell contents apart. Not for secrets: whoever chooses the data can
// make two contents collide.
#ifndef SBNN_DELEGATE_FORMAT_HASH_H_
#define SBNN_DELEGATE_FORMAT_HASH_H_

#include <cstddef>
#include <cstdint>

namespace sbnn {

struct Hash {
  uint64_t a = 0, b = 0;

  bool operator==(const Hash& other) const { return a == other.a && b == other.b; }
  bool operator!=(const Hash& other) const { return !(*this == other); }
};

class Hasher {
 public:
  // Each call counts as one item: ("ab", "c") and ("a", "bc") differ.
  void Add(const void* data, size_t bytes);
  void Add(int64_t value) { Add(&value, sizeof(value)); }

  const Hash& hash() const { return hash_; }

 private:
  Hash hash_;
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_FORMAT_HASH_H_
