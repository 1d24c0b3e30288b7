// Exceptions of programs for the command line: the first one ends the program.
#include <cstdio>
#include <cstdlib>
#include <typeinfo>

extern "C" {

void* __cxa_allocate_exception(size_t bytes) { return std::malloc(bytes); }

void __cxa_throw(void*, std::type_info* type, void (*)(void*)) {
  std::fprintf(stderr, "an exception: %s\n", type->name());
  std::abort();
}

}  // extern "C"
