// Memory for large arrays.
#ifndef SBNN_DELEGATE_FORMAT_ALIGNED_MEMORY_H_
#define SBNN_DELEGATE_FORMAT_ALIGNED_MEMORY_H_

#include <cstddef>

namespace sbnn {

// Aligned to a cache line. Of some megabytes, aligned to a large page, and in such pages where the
// system gives them: a panel spreads a tile over a page a channel, more than a TLB holds of small
// ones. Null where there is no memory.
void* AllocateAligned(size_t bytes);

// `bytes` as they were asked for.
void FreeAligned(void* memory, size_t bytes);

}  // namespace sbnn

#endif  // SBNN_DELEGATE_FORMAT_ALIGNED_MEMORY_H_
