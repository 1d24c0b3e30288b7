#include "delegate/format/aligned_memory.h"

#include <sys/mman.h>

#include <new>

namespace sbnn {
namespace {

constexpr size_t kLine = 64;
constexpr size_t kLargePage = size_t{2} << 20;

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
