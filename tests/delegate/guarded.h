// Memory that tells when too much of it is read or written.
#ifndef SBNN_TESTS_DELEGATE_GUARDED_H_
#define SBNN_TESTS_DELEGATE_GUARDED_H_

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <vector>

#if !defined(__wasm__)
#include <sys/mman.h>
#include <unistd.h>
#endif

namespace sbnn {

#if defined(__wasm__)

// (WebAssembly has no pages that may not be touched: what is read too far goes unseen there.)
inline size_t PageBytes() { return 65536; }
inline void* Reserve(size_t bytes) { return std::malloc(bytes); }
inline bool Allow(void*, size_t) { return true; }
inline void Release(void* memory, size_t) { std::free(memory); }

#else

inline size_t PageBytes() { return static_cast<size_t>(sysconf(_SC_PAGESIZE)); }
// Null: there is no room.
inline void* Reserve(size_t bytes) {
  void* const memory = mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return memory == MAP_FAILED ? nullptr : memory;
}
inline bool Allow(void* pages, size_t bytes) {
  return mprotect(pages, bytes, PROT_READ | PROT_WRITE) == 0;
}
inline void Release(void* memory, size_t bytes) { munmap(memory, bytes); }

#endif

enum class Edge { kBegin, kEnd };

// An array between two pages that may not be touched: reading or writing one element too far on the
// side of `edge` ends the process; on the other side (and in the alignment gap) Intact() tells of
// writes.
template <typename T>
class Guarded {
 public:
  explicit Guarded(size_t count, Edge edge = Edge::kEnd) : count_(count) {
    const size_t page = PageBytes();
    inner_ = std::max<size_t>(1, (count * sizeof(T) + page - 1) / page) * page;
    mapped_ = inner_ + 2 * page;
    void* const memory = Reserve(mapped_);
    if (memory == nullptr) std::abort();
    base_ = static_cast<unsigned char*>(memory);
    begin_ = base_ + page;
    if (!Allow(begin_, inner_)) std::abort();
    std::memset(begin_, kCanary, inner_);
    data_ = begin_ + (edge == Edge::kEnd ? inner_ - count * sizeof(T) : 0);
  }
  // Of values that make a T.
  template <typename U>
  explicit Guarded(const std::vector<U>& values, Edge edge = Edge::kEnd)
      : Guarded(values.size(), edge) {
    std::copy(values.begin(), values.end(), data());
  }
  ~Guarded() { Release(base_, mapped_); }
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;

  T* data() { return reinterpret_cast<T*>(data_); }
  const T* data() const { return reinterpret_cast<const T*>(data_); }
  size_t size() const { return count_; }
  T& operator[](size_t i) { return data()[i]; }
  const T& operator[](size_t i) const { return data()[i]; }
  T* begin() { return data(); }
  T* end() { return data() + count_; }

  // Whether element i still holds what it held before anyone wrote it.
  bool Untouched(size_t i) const { return IsCanary(data_ + i * sizeof(T), sizeof(T)); }

  // Whether all bytes around the array do.
  bool Intact() const {
    const unsigned char* const end = data_ + count_ * sizeof(T);
    return IsCanary(begin_, static_cast<size_t>(data_ - begin_)) &&
           IsCanary(end, static_cast<size_t>(begin_ + inner_ - end));
  }

 private:
  static constexpr unsigned char kCanary = 0xa5;
  static bool IsCanary(const unsigned char* p, size_t bytes) {
    return std::all_of(p, p + bytes, [](unsigned char b) { return b == kCanary; });
  }

  size_t count_, inner_, mapped_;
  unsigned char *base_, *begin_, *data_;
};

}  // namespace sbnn

#endif  // SBNN_TESTS_DELEGATE_GUARDED_H_
