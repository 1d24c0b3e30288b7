// wasi-libc's malloc knows no threads: where the memory is shared, one at a time may call it.
#include <atomic>
#include <cstddef>

namespace {

std::atomic<bool> busy{false};

struct Turn {
  Turn() {
    while (busy.exchange(true, std::memory_order_acquire)) {
    }
  }
  ~Turn() { busy.store(false, std::memory_order_release); }
};

}  // namespace

// By the linker's --wrap (BUILD).
extern "C" {

void* __real_malloc(size_t bytes);
void __real_free(void* memory);
void* __real_calloc(size_t count, size_t bytes);
void* __real_realloc(void* memory, size_t bytes);
void* __real_aligned_alloc(size_t alignment, size_t bytes);

void* __wrap_malloc(size_t bytes) {
  const Turn turn;
  return __real_malloc(bytes);
}
void __wrap_free(void* memory) {
  const Turn turn;
  __real_free(memory);
}
void* __wrap_calloc(size_t count, size_t bytes) {
  const Turn turn;
  return __real_calloc(count, bytes);
}
void* __wrap_realloc(void* memory, size_t bytes) {
  const Turn turn;
  return __real_realloc(memory, bytes);
}
void* __wrap_aligned_alloc(size_t alignment, size_t bytes) {
  const Turn turn;
  return __real_aligned_alloc(alignment, bytes);
}

}  // extern "C"
