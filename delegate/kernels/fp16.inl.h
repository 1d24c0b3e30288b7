// Between float16 and float32, and what float16 is too short for.
#include "delegate/kernels/kernels.h"
#include "delegate/kernels/vec/vec.h"

namespace sbnn {

Kernels NeonKernels();

namespace SBNN_ISA {
namespace {

void NarrowAll(const float* x, void* fp16, size_t count) {
  Element* const y = AsElements(fp16);
  size_t i = 0;
  for (; i + Vec::kLanes <= count; i += Vec::kLanes) Store(y + i, Narrow(LoadWide(x + i)));
  for (; i < count; ++i) y[i] = static_cast<Element>(x[i]);
}

void WidenAll(const void* fp16, float* y, size_t count) {
  const Element* const x = AsElements(fp16);
  size_t i = 0;
  for (; i + Vec::kLanes <= count; i += Vec::kLanes) StoreWide(y + i, Widen(Load(x + i)));
  for (; i < count; ++i) y[i] = static_cast<float>(x[i]);
}

// As floats, some at a time.
void Unary(UnaryKind kind, const UnaryArgs& a) {
  static const UnaryFn unary = NeonKernels().unary;
  constexpr size_t kBlock = 512;
  float block[kBlock];
  for (size_t row = 0; row < a.rows; ++row) {
    const Element* const x = AsElements(a.x) + row * a.stride;
    Element* const y = AsElements(a.y) + row * a.stride;
    for (size_t first = 0; first < a.count; first += kBlock) {
      const size_t count = a.count - first < kBlock ? a.count - first : kBlock;
      WidenAll(x + first, block, count);
      unary(kind, {block, block, count, 1, count, a.alpha});
      NarrowAll(block, y + first, count);
    }
  }
}

}  // namespace
}  // namespace SBNN_ISA
}  // namespace sbnn
