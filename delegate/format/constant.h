// A constant tensor as a model file holds it: dense, or sparse in TensorFlow Lite's encoding.
#ifndef SBNN_DELEGATE_FORMAT_CONSTANT_H_
#define SBNN_DELEGATE_FORMAT_CONSTANT_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "delegate/format/element_type.h"
#include "delegate/format/quantization.h"
#include "delegate/format/status.h"

namespace sbnn {

// One level of the sparse encoding (TFLite schema: DimensionMetadata).
struct SparseLevel {
  bool csr = false;
  int dense_size = 0;                 // of a dense level
  const int32_t* segments = nullptr;  // of a CSR level
  size_t segment_count = 0;
  const int32_t* indices = nullptr;
  size_t index_count = 0;
};

// A view: nothing is owned or copied.
struct Constant {
  std::vector<int> shape;
  ElementType type = ElementType::kFloat32;
  const void* values = nullptr;
  size_t value_count = 0;
  ChannelQuantization quantization;

  // Empty levels: the tensor is dense and row-major. Otherwise levels[i] describes dimension
  // traversal[i]; dimensions shape.size() + k are the blocks of dimension block_map[k].
  std::vector<SparseLevel> levels;
  std::vector<int> traversal;
  std::vector<int> block_map;

  bool sparse() const { return !levels.empty(); }
  // The number that is stored, not what a quantized one stands for.
  float Value(size_t i) const;
};

// Checks every size, segment and index of the encoding against the shape and the values, and the
// scales, if there are any; the other
// functions here may be called only on a constant that passed.
Status Validate(const Constant& constant);

// Calls fn(coordinates, value) for each stored value: all of a dense tensor (zeros too), the
// non-zero ones of a sparse tensor (blocks may store zeros; they are left out).
void ForEachStored(const Constant& constant,
                   const std::function<void(const int* coordinates, float value)>& fn);

}  // namespace sbnn

#endif  // SBNN_DELEGATE_FORMAT_CONSTANT_H_
