// For operators that only move elements: every element of the output is looked up where the
// operator's definition says that it comes from.
#ifndef SBNN_TESTS_DELEGATE_ENGINE_ELEMENTS_H_
#define SBNN_TESTS_DELEGATE_ENGINE_ELEMENTS_H_

#include <cstddef>
#include <functional>
#include <vector>

#include "tests/delegate/reference.h"

namespace sbnn {

using Index = std::vector<int>;

inline size_t Offset(const Shape& shape, const Index& at) {
  size_t offset = 0;
  for (size_t d = 0; d < shape.size(); ++d) offset = offset * shape[d] + at[d];
  return offset;
}

// An array whose element at each index is what `value` says.
inline Array Make(const Shape& shape, const std::function<float(const Index&)>& value) {
  Array y(shape);
  Index at(shape.size(), 0);
  for (float& v : y.data) {
    v = value(at);
    for (size_t d = shape.size(); d-- > 0;) {
      if (++at[d] < shape[d]) break;
      at[d] = 0;
    }
  }
  return y;
}

inline float At(const Array& x, const Index& at) { return x.data[Offset(x.shape, at)]; }

// Images that are panels, one pixel, of one row, of one channel; other ranks; many tasks.
inline const std::vector<Shape> kShapes = {
    {2, 5, 7, 3}, {1, 16, 16, 17}, {2, 1, 1, 9}, {3, 1, 33, 2}, {1, 9, 1, 5},
    {2, 6, 4, 1}, {3, 8},          {5},          {2, 3, 4},     {2, 3, 2, 3, 2}};

}  // namespace sbnn

#endif  // SBNN_TESTS_DELEGATE_ENGINE_ELEMENTS_H_
