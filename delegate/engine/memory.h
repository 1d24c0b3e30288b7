// Where buffers that live at different times may share memory.
#ifndef SBNN_DELEGATE_ENGINE_MEMORY_H_
#define SBNN_DELEGATE_ENGINE_MEMORY_H_

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <vector>

namespace sbnn {

struct Lifetime {
  size_t floats;
  int first, last;    // operators, both included
  size_t offset = 0;  // the answer
};

// Gives each buffer an offset such that no two that live at once overlap; returns the floats
// needed. Largest first, each at the lowest place that is free: the greedy-by-size strategy of
// Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net Inference" (2020).
size_t PlaceInArena(std::vector<Lifetime>* buffers);

// Zeroed floats, aligned to a cache line. Null data where there is no memory.
class FloatBuffer {
 public:
  bool Resize(size_t floats);  // contents are lost
  float* data() const { return data_.get(); }

 private:
  struct Free {
    void operator()(float* p) const { std::free(p); }
  };
  std::unique_ptr<float, Free> data_;
  size_t size_ = 0;
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_MEMORY_H_
