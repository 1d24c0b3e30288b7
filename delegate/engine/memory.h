// Where buffers that live at different times may share memory.
#ifndef SBNN_DELEGATE_ENGINE_MEMORY_H_
#define SBNN_DELEGATE_ENGINE_MEMORY_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace sbnn {

struct Lifetime {
  uint64_t floats;
  int first, last;      // operators, both included
  uint64_t offset = 0;  // the answer
};

// Gives each buffer an offset such that no two that live at once overlap; returns the floats
// needed. Largest first, each at the lowest place that is free: the greedy-by-size strategy of
// Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net Inference" (2020).
uint64_t PlaceInArena(std::vector<Lifetime>* buffers);

// Zeroed floats, aligned to a cache line. Null data where there is no memory.
class FloatBuffer {
 public:
  FloatBuffer() = default;
  ~FloatBuffer() { Free(); }
  FloatBuffer(const FloatBuffer&) = delete;
  FloatBuffer& operator=(const FloatBuffer&) = delete;

  bool Resize(uint64_t floats);  // contents are lost
  float* data() const { return data_; }

 private:
  void Free();

  float* data_ = nullptr;
  size_t bytes_ = 0;
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_MEMORY_H_
