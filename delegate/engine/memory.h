// Where buffers that live at different times may share memory.
#ifndef SBNN_DELEGATE_ENGINE_MEMORY_H_
#define SBNN_DELEGATE_ENGINE_MEMORY_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace sbnn {

struct Lifetime {
  uint64_t bytes;
  int first, last;      // operators, both included
  uint64_t offset = 0;  // the answer
};

// Gives each buffer an offset, whole cache lines, such that no two that live at once overlap;
// returns the bytes needed. Largest first, each at the lowest place that is free: the
// greedy-by-size strategy of Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net
// Inference" (2020).
uint64_t PlaceInArena(std::vector<Lifetime>* buffers);

// Zeroed memory, aligned to a cache line. Null data where there is no memory.
class Buffer {
 public:
  Buffer() = default;
  ~Buffer() { Free(); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  bool Resize(uint64_t wanted);  // contents are lost
  void* data() const { return data_; }

 private:
  void Free();

  void* data_ = nullptr;
  size_t bytes_ = 0;
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_MEMORY_H_
