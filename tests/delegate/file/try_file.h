// What the engine makes of the bytes of a file that nobody has checked.
#ifndef SBNN_TESTS_DELEGATE_FILE_TRY_FILE_H_
#define SBNN_TESTS_DELEGATE_FILE_TRY_FILE_H_

#include <cstddef>
#include <cstdint>

#include "delegate/translation/options.h"

namespace sbnn {

enum class Outcome { kDamaged, kRefused, kNotPlanned, kRan };

// Reads a file, and runs its first graph once if that is small. Aborts if a network that was
// planned does not run. Throws std::bad_alloc, as whoever calls must expect.
Outcome TryFile(const uint8_t* data, size_t size, const Options& options);

}  // namespace sbnn

#endif  // SBNN_TESTS_DELEGATE_FILE_TRY_FILE_H_
