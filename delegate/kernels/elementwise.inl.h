// Element-wise arithmetic.
#ifndef SBNN_DELEGATE_KERNELS_ELEMENTWISE_INL_H_
#define SBNN_DELEGATE_KERNELS_ELEMENTWISE_INL_H_

#include "delegate/kernels/kernels.h"
#include "delegate/kernels/vec/vec.h"

namespace sbnn {
namespace SBNN_ISA {
namespace {

// y[i] = f(Vec i) for all i < count; f(load(i)) where load reads a vector or its first lanes.
template <typename Fn>
SBNN_INLINE void ForEachVector(Element* y, size_t count, const Fn& fn) {
  size_t i = 0;
  for (; i + Vec::kLanes <= count; i += Vec::kLanes) Store(y + i, fn(i, Vec::kLanes));
  const int left = static_cast<int>(count - i);
  if (left > 0) StoreFirst(y + i, fn(i, left), left);
}

SBNN_INLINE Vec LoadSome(const Element* p, int n) {
  return n == Vec::kLanes ? Load(p) : LoadFirst(p, n);
}

void Clamp(const ClampArgs& a) {
  const Vec lo = Set(a.lo), hi = Set(a.hi);
  const Element* const x = AsElements(a.x);
  ForEachVector(AsElements(a.y), a.count,
                [&](size_t i, int n) { return Min(hi, Max(lo, LoadSome(x + i, n))); });
}

// kSwaps: fn(x, y) is fn(y, x).
template <bool kSwaps = false, typename Fn>
SBNN_INLINE void BinaryWith(const BinaryArgs& a, const Fn& fn) {
  const Vec lo = Set(a.lo), hi = Set(a.hi);
  const Element* const left = AsElements(a.swapped ? a.b : a.a);
  const Element* const right = AsElements(a.swapped ? a.a : a.b);
  Element* const y = AsElements(a.y);
  if (a.b_is_scalar) {
    const Vec b = Set(*AsElements(a.b));
    if (!kSwaps && a.swapped) {
      ForEachVector(y, a.count, [&](size_t i, int n) {
        return Min(hi, Max(lo, fn(b, LoadSome(right + i, n))));
      });
    } else {
      const Element* const vectors = AsElements(a.a);
      ForEachVector(y, a.count, [&](size_t i, int n) {
        return Min(hi, Max(lo, fn(LoadSome(vectors + i, n), b)));
      });
    }
    return;
  }
  ForEachVector(y, a.count, [&](size_t i, int n) {
    return Min(hi, Max(lo, fn(LoadSome(left + i, n), LoadSome(right + i, n))));
  });
}

void Binary(BinaryKind kind, const BinaryArgs& a) {
  switch (kind) {
    case BinaryKind::kAdd:
      return BinaryWith<true>(a, [](Vec x, Vec y) { return Add(x, y); });
    case BinaryKind::kSub:
      return BinaryWith(a, [](Vec x, Vec y) { return Sub(x, y); });
    case BinaryKind::kMul:
      return BinaryWith<true>(a, [](Vec x, Vec y) { return Mul(x, y); });
    case BinaryKind::kDiv:
      return BinaryWith(a, [](Vec x, Vec y) { return Div(x, y); });
    case BinaryKind::kMax:
      return BinaryWith(a, [](Vec x, Vec y) { return Max(x, y); });
    case BinaryKind::kMin:
      return BinaryWith(a, [](Vec x, Vec y) { return Min(x, y); });
    case BinaryKind::kPrelu:
      return BinaryWith(a, [](Vec x, Vec y) {
        const Vec zero = Set(0.0f);
        return Fma(Min(zero, x), y, Max(zero, x));
      });
    case BinaryKind::kSquaredDifference:
      return BinaryWith<true>(a, [](Vec x, Vec y) {
        const Vec difference = Sub(x, y);
        return Mul(difference, difference);
      });
  }
}

}  // namespace
}  // namespace SBNN_ISA
}  // namespace sbnn

#endif  // SBNN_DELEGATE_KERNELS_ELEMENTWISE_INL_H_
