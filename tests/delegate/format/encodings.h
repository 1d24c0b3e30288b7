// Any sparse encoding of any shape.
#ifndef SBNN_TESTS_DELEGATE_FORMAT_ENCODINGS_H_
#define SBNN_TESTS_DELEGATE_FORMAT_ENCODINGS_H_

#include <cstddef>
#include <vector>

#include "gtest/gtest.h"
#include "tests/delegate/random.h"
#include "tests/delegate/sparse.h"

namespace sbnn {

inline size_t Elements(const std::vector<int>& shape) {
  size_t n = 1;
  for (int d : shape) n *= static_cast<size_t>(d);
  return n;
}

inline size_t Index(const std::vector<int>& shape, const int* at) {
  size_t index = 0;
  for (size_t d = 0; d < shape.size(); ++d) {
    EXPECT_GE(at[d], 0);
    EXPECT_LT(at[d], shape[d]);
    index = index * shape[d] + at[d];
  }
  return index;
}

inline std::vector<int> Shuffled(int begin, int end, Random* random) {
  std::vector<int> v;
  for (int i = begin; i < end; ++i)
    v.insert(v.begin() + random->Int(0, static_cast<int>(v.size())), i);
  return v;
}

// Any traversal, any blocks, any levels sparse.
inline SparseFormat RandomFormat(std::vector<int>* shape, Random* random) {
  SparseFormat f;
  const int rank = static_cast<int>(shape->size());
  for (int d : Shuffled(0, rank, random)) {
    if (!random->Chance(0.4)) continue;
    const int block = random->Int(1, 4);
    f.block_map.push_back(d);
    f.block_size.push_back(block);
    (*shape)[d] = block * random->Int(1, 3);
  }
  const int blocks = static_cast<int>(f.block_map.size());
  f.traversal = Shuffled(0, rank, random);
  for (int d : Shuffled(rank, rank + blocks, random)) f.traversal.push_back(d);
  for (int i = 0; i < rank; ++i) f.csr.push_back(random->Chance(0.5));
  return f;
}

}  // namespace sbnn

#endif  // SBNN_TESTS_DELEGATE_FORMAT_ENCODINGS_H_
