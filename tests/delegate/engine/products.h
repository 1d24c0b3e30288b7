// Products of matrices, said as plainly as can be.
#ifndef SBNN_TESTS_DELEGATE_ENGINE_PRODUCTS_H_
#define SBNN_TESTS_DELEGATE_ENGINE_PRODUCTS_H_

#include <algorithm>
#include <vector>

#include "tests/delegate/engine/elements.h"
#include "tests/delegate/reference.h"

namespace sbnn {

// The last two dimensions exchanged, if asked for.
inline Array Exchanged(const Array& x, bool exchange) {
  if (!exchange) return x;
  Shape shape = x.shape;
  std::swap(shape[shape.size() - 1], shape[shape.size() - 2]);
  return Make(shape, [&](const Index& at) {
    Index from = at;
    std::swap(from[from.size() - 1], from[from.size() - 2]);
    return At(x, from);
  });
}

// [..., rows, depth] times [..., depth, columns]; leading dimensions are broadcast.
inline Array ReferenceProduct(const Array& a, const Array& b) {
  const size_t rank = std::max(a.shape.size(), b.shape.size());
  const auto padded = [&](const Array& x) {
    Shape shape(rank - x.shape.size(), 1);
    shape.insert(shape.end(), x.shape.begin(), x.shape.end());
    return Array(shape, x.data);
  };
  const Array left = padded(a), right = padded(b);
  Shape shape(rank);
  for (size_t d = 0; d < rank; ++d) shape[d] = std::max(left.shape[d], right.shape[d]);
  shape[rank - 2] = left.shape[rank - 2];
  shape[rank - 1] = right.shape[rank - 1];
  return Make(shape, [&](const Index& at) {
    Index l(rank), r(rank);
    for (size_t d = 0; d + 2 < rank; ++d) {
      l[d] = left.shape[d] == 1 ? 0 : at[d];
      r[d] = right.shape[d] == 1 ? 0 : at[d];
    }
    l[rank - 2] = at[rank - 2];
    r[rank - 1] = at[rank - 1];
    double sum = 0;
    for (int k = 0; k < left.shape[rank - 1]; ++k) {
      l[rank - 1] = r[rank - 2] = k;
      sum += static_cast<double>(At(left, l)) * At(right, r);
    }
    return static_cast<float>(sum);
  });
}

}  // namespace sbnn

#endif  // SBNN_TESTS_DELEGATE_ENGINE_PRODUCTS_H_
