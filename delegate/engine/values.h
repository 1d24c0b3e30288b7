// Constants and addresses in the type that the kernels of a step compute in: floats or halves.
#ifndef SBNN_DELEGATE_ENGINE_VALUES_H_
#define SBNN_DELEGATE_ENGINE_VALUES_H_

#include <cstddef>
#include <vector>

#include "delegate/format/half.h"

namespace sbnn {

// `count` elements behind p.
inline const void* Advance(const void* p, ptrdiff_t count, int element_bytes) {
  return static_cast<const char*>(p) + count * element_bytes;
}
inline void* Advance(void* p, ptrdiff_t count, int element_bytes) {
  return static_cast<char*>(p) + count * element_bytes;
}

// Floats as kernels want them: where they are, or halves made of them.
class Values {
 public:
  // `values` must stay where it is.
  void Plan(const float* values, size_t count, int element_bytes) {
    element_bytes_ = element_bytes;
    const bool half = element_bytes == sizeof(Half);
    halves_.clear();
    if (half) halves_.assign(values, values + count);
    data_ = half ? static_cast<const void*>(halves_.data()) : values;
  }

  const void* From(size_t first) const { return Advance(data_, first, element_bytes_); }

 private:
  std::vector<Half> halves_;
  const void* data_ = nullptr;
  int element_bytes_ = 0;
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_VALUES_H_
