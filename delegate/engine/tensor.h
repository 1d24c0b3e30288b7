// Activations inside the engine.
#ifndef SBNN_DELEGATE_ENGINE_TENSOR_H_
#define SBNN_DELEGATE_ENGINE_TENSOR_H_

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "delegate/engine/values.h"
#include "delegate/format/quantization.h"
#include "delegate/kernels/kernels.h"

namespace sbnn {

using Shape = std::vector<int>;

// (Sizes of memory that is only asked for have 64 bits everywhere: a damaged file may want any.)
uint64_t RoundUp(uint64_t value, uint64_t step);

size_t ElementCount(const Shape& shape);

// A shape read as images: missing leading dimensions are 1, [N, C] is N images of one pixel.
struct Images {
  int n, h, w, c;
  size_t pixels() const { return static_cast<size_t>(h) * w; }
};
Images AsImages(const Shape& shape);

enum class Layout {
  kFlat,   // row-major, channels last: what the outside uses, and every tensor of one-pixel images
  kPanel,  // [image][channel][pixel], planes padded to whole vectors
  kQuads,  // of int8: [image][channel / 4][pixel][channel % 4], padded as well
};

// The layout that a tensor of this shape has between operators.
Layout LayoutOf(const Shape& shape);

// Of the longest vector of any kernel; a cache line.
constexpr size_t kVectorBytes = kMaxLanes * sizeof(float);

// Channels are allocated in steps of this, so that a kernel may write a whole group past the last.
constexpr int kChannelStep = 8;

// Between the planes of a panel, in elements: whole vectors, and an odd number of cache lines, so
// that the same pixel of many channels spreads over all sets of a cache.
uint64_t PlaneStride(uint64_t pixels, ElementType type = ElementType::kFloat32);

struct Tensor {
  Shape shape;
  Layout layout = Layout::kFlat;
  ElementType type = ElementType::kFloat32;
  Quantization quantization;  // of int8
  void* data = nullptr;

  Tensor() = default;
  Tensor(Shape s, Layout l, ElementType type = ElementType::kFloat32);
  Tensor(Shape s, Layout l, const TensorType& type) : Tensor(std::move(s), l, type.element) {
    quantization = type.quantization;
  }

  Images images() const { return AsImages(shape); }
  size_t plane_stride = 0;  // from a channel to the next, of quads a quad: 1 where it is flat
  size_t image_stride = 0;
  // Of float32: the elements, and the first pixel of a channel, in either layout.
  float* floats() const { return static_cast<float*>(data); }
  float* Plane(int n, int c) const { return floats() + n * image_stride + c * plane_stride; }
  int8_t* bytes(int n, size_t c, size_t element = 0) const {
    return static_cast<int8_t*>(data) + n * image_stride + c * plane_stride + element;
  }
  // An element of a plane, of any type.
  void* At(int n, int c, size_t element = 0) const {
    return From(n * image_stride + c * plane_stride + element);
  }
  void* From(size_t element) const { return Advance(data, element, type); }
  void Set(size_t element, float value) const {
    if (type == ElementType::kFloat32) {
      floats()[element] = value;
    } else {
      *static_cast<Float16*>(From(element)) = value;
    }
  }

  // Bytes to allocate, room for reading past the end included.
  uint64_t allocation() const;
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_TENSOR_H_
