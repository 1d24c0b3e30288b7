// No exception is caught in the module. What throws one calls JavaScript, which throws an error of
// its own: that leaves the module for good, and whoever called it disposes of it.
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <new>
#include <typeinfo>

extern "C" {

// Does not return. `what`: "memory", or the kind of the exception.
[[noreturn]] __attribute__((import_module("sbnn"), import_name("fail"))) void sbnn_fail(
    const char* what);

void* __cxa_allocate_exception(size_t bytes) { return std::malloc(bytes); }

void __cxa_throw(void*, std::type_info* type, void (*)(void*)) {
  sbnn_fail(*type == typeid(std::bad_alloc) ? "memory" : type->name());
}

}  // extern "C"

namespace {

void* OrNull(size_t bytes, size_t alignment) {
  const size_t whole = (bytes + alignment - 1) / alignment * alignment;
  return whole < bytes ? nullptr : std::aligned_alloc(alignment, whole == 0 ? alignment : whole);
}

void* OrFail(size_t bytes, size_t alignment) {
  void* const memory = OrNull(bytes, alignment);
  if (memory == nullptr) sbnn_fail("memory");
  return memory;
}

constexpr size_t kAnyAlignment = alignof(std::max_align_t);

}  // namespace

void* operator new(size_t bytes) { return OrFail(bytes, kAnyAlignment); }
void* operator new[](size_t bytes) { return OrFail(bytes, kAnyAlignment); }
void* operator new(size_t bytes, const std::nothrow_t&) noexcept {
  return OrNull(bytes, kAnyAlignment);
}
void* operator new(size_t bytes, std::align_val_t alignment) {
  return OrFail(bytes, static_cast<size_t>(alignment));
}
void* operator new(size_t bytes, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return OrNull(bytes, static_cast<size_t>(alignment));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, size_t, std::align_val_t) noexcept { std::free(memory); }
