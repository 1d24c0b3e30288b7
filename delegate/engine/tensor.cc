#include "delegate/engine/tensor.h"

#include <utility>

#include "delegate/kernels/int8/kernels.h"

namespace sbnn {

uint64_t RoundUp(uint64_t value, uint64_t step) { return (value + step - 1) / step * step; }

size_t ElementCount(const Shape& shape) {
  size_t count = 1;
  for (int d : shape) count *= static_cast<size_t>(d);
  return count;
}

Images AsImages(const Shape& shape) {
  Images i{1, 1, 1, 1};
  int* const dims[] = {&i.c, &i.w, &i.h};
  const int rank = static_cast<int>(shape.size());
  if (rank == 2) return {shape[0], 1, 1, shape[1]};
  int next = rank - 1;
  for (int* d : dims) {
    if (next >= 0) *d = shape[next--];
  }
  for (; next >= 0; --next) i.n *= shape[next];
  return i;
}

Layout LayoutOf(const Shape& shape) {
  return shape.size() == 4 && AsImages(shape).pixels() > 1 ? Layout::kPanel : Layout::kFlat;
}

uint64_t PlaneStride(uint64_t pixels, ElementType type) {
  const uint64_t line = kVectorBytes / BytesOf(type);
  uint64_t lines = RoundUp(pixels, line) / line;
  if (lines % 2 == 0) ++lines;
  return lines * line;
}

Tensor::Tensor(Shape s, Layout l, ElementType t) : shape(std::move(s)), layout(l), type(t) {
  const Images i = images();
  if (layout != Layout::kFlat) {
    const int together = layout == Layout::kQuads ? 4 : 1;  // channels
    const int slack = type == ElementType::kInt8 ? int8::kSlack : 0;
    plane_stride = PlaneStride(i.pixels() * together + slack, type);
    image_stride = plane_stride * (RoundUp(i.c, kChannelStep) / together);
  } else {
    plane_stride = 1;
    image_stride = i.pixels() * i.c;
  }
}

uint64_t Tensor::allocation() const {
  // Kernels read up to two vectors past a row, and spmv writes a whole group.
  const uint64_t bytes = uint64_t{image_stride} * images().n * BytesOf(type);
  return RoundUp(bytes + 2 * kVectorBytes, kVectorBytes);
}

}  // namespace sbnn
