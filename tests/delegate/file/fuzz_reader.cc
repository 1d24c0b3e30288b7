// For libFuzzer, which looks for bytes that reach new code (`make fuzz-reader`): whatever a file
// holds, an error or a network that runs.
#include <cstdlib>
#include <new>

#include "tests/delegate/file/try_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const sbnn::Options options = [] {
    sbnn::Options made;
    if (!sbnn::ParseOptions(nullptr, nullptr, 0, &made).ok()) std::abort();
    return made;
  }();
  try {
    sbnn::TryFile(data, size, options);
  } catch (const std::bad_alloc&) {
  }
  return 0;
}
