#include "delegate/format/aligned_memory.h"

#include <cstdint>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace sbnn {
namespace {

constexpr size_t kLine = 64;
#if defined(MADV_HUGEPAGE)
constexpr size_t kLargePage = size_t{2} << 20;
#else
constexpr size_t kLargePage = SIZE_MAX;  // there are none
#endif

std::align_val_t Alignment(size_t bytes) {
  return std::align_val_t{bytes < kLargePage ? kLine : kLargePage};
}

}  // namespace

void* AllocateAligned(size_t bytes) {
  void* const memory = ::operator new(bytes, Alignment(bytes), std::nothrow);
#if defined(MADV_HUGEPAGE)
  // A wish: where it is not granted, pages are small.
  if (memory != nullptr && bytes >= kLargePage) madvise(memory, bytes, MADV_HUGEPAGE);
#endif
  return memory;
}

void FreeAligned(void* memory, size_t bytes) { ::operator delete(memory, Alignment(bytes)); }

}  // namespace sbnn
