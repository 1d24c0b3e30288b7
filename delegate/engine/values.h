// Constants and addresses in the type that the kernels of a step compute in: float32 or float16.
#ifndef SBNN_DELEGATE_ENGINE_VALUES_H_
#define SBNN_DELEGATE_ENGINE_VALUES_H_

#include <cstddef>
#include <vector>

#include "delegate/format/element_type.h"
#include "delegate/format/float16.h"

namespace sbnn {

// `count` elements behind p.
inline const void* Advance(const void* p, ptrdiff_t count, ElementType type) {
  return static_cast<const char*>(p) + count * static_cast<ptrdiff_t>(BytesOf(type));
}
inline void* Advance(void* p, ptrdiff_t count, ElementType type) {
  return static_cast<char*>(p) + count * static_cast<ptrdiff_t>(BytesOf(type));
}

// Floats as kernels want them: where they are, or float16 made of them.
class Values {
 public:
  // `values` must stay where it is.
  void Plan(const float* values, size_t count, ElementType type) {
    type_ = type;
    const bool fp16 = type == ElementType::kFloat16;
    fp16_.clear();
    if (fp16) fp16_.assign(values, values + count);
    data_ = fp16 ? static_cast<const void*>(fp16_.data()) : values;
  }

  const void* From(size_t first) const { return Advance(data_, first, type_); }

 private:
  std::vector<Float16> fp16_;
  const void* data_ = nullptr;
  ElementType type_ = ElementType::kFloat32;
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_VALUES_H_
