// The arithmetic of STRIDED_SLICE.
#ifndef SBNN_DELEGATE_ENGINE_SLICE_H_
#define SBNN_DELEGATE_ENGINE_SLICE_H_

#include <vector>

#include "delegate/engine/tensor.h"
#include "delegate/format/status.h"

namespace sbnn {

// For each of the first dimensions (the others are taken whole) which elements are taken, as NumPy
// defines x[begin:end:stride]. Bit i of a mask is about dimension i.
struct Slice {
  std::vector<int> begin, end, stride;
  int begin_mask = 0, end_mask = 0;  // begin or end is not given
  int shrink_mask = 0;               // just the element `begin`, and the dimension is dropped
};

// A slice of a tensor of given shape.
struct PlacedSlice {
  std::vector<int> first, stride, size;  // of each dimension of the input
  Shape shape;                           // of the output
};

Status Place(const Slice& slice, const Shape& shape, PlacedSlice* placed);

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_SLICE_H_
