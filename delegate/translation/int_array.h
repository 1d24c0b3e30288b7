// TfLiteIntArray: one that frees itself (nothing of TFLite is linked, so it is allocated here), and
// as a vector.
#ifndef SBNN_DELEGATE_TRANSLATION_INT_ARRAY_H_
#define SBNN_DELEGATE_TRANSLATION_INT_ARRAY_H_

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>
#include <vector>

#include "tensorflow/lite/c/common.h"

namespace sbnn {

struct FreeIntArray {
  void operator()(TfLiteIntArray* array) const { std::free(array); }
};
using IntArray = std::unique_ptr<TfLiteIntArray, FreeIntArray>;

// TFLite takes over some arrays and frees them with free(): hand those over with release().
inline IntArray AllocateIntArray(size_t size) {
  void* const memory = std::malloc(sizeof(TfLiteIntArray) + size * sizeof(int));
  if (memory == nullptr) throw std::bad_alloc();
  auto* const array = static_cast<TfLiteIntArray*>(memory);
  array->size = static_cast<int>(size);
  return IntArray(array);
}

inline IntArray MakeIntArray(const std::vector<int>& values) {
  IntArray array = AllocateIntArray(values.size());
  std::copy(values.begin(), values.end(), array->data);
  return array;
}

// Null, as of a tensor of unknown rank: empty.
inline std::vector<int> ToVector(const TfLiteIntArray* array) {
  if (array == nullptr) return {};
  return std::vector<int>(array->data, array->data + array->size);
}

}  // namespace sbnn

#endif  // SBNN_DELEGATE_TRANSLATION_INT_ARRAY_H_
