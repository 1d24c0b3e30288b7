// Functions of each element. Their polynomials need floats.
#ifndef SBNN_DELEGATE_KERNELS_UNARY_INL_H_
#define SBNN_DELEGATE_KERNELS_UNARY_INL_H_

#include "delegate/kernels/elementwise.inl.h"
#include "delegate/kernels/kernels.h"
#include "delegate/kernels/vec/vec.h"

namespace sbnn {
namespace SBNN_ISA {
namespace {

// e^(S x), for S = 1 or -1, as a product.
struct Exponential {
  Vec power, rest;
};

// Of x in [-87, 87]: 2^n times a polynomial on |r| <= ln 2 / 2 or, where there are powers in steps
// of 1 / 32, on a part of that; fitted for the least largest relative error (1e-7; 3e-7 in all).
template <int S>
SBNN_INLINE Exponential SplitExp(Vec x) {
  constexpr bool kSteps = Vec::kStepsOfTwo == 32;
  // With steps, `rest` is twice the polynomial: a square and a constant.
  const Vec rounder = Set(kSteps ? Vec::kRounder - 1 : Vec::kRounder);
  const Vec t = Fma(x, Set(S * 1.44269504f), rounder);
  const Vec r = Fma(Sub(t, rounder), Set(S * -0.693147181f), x);  // the product is not rounded
  if constexpr (kSteps) {
    const Vec one = Set(1.0000147f), sum = S > 0 ? Add(one, r) : Sub(one, r);
    return {PowerOfTwo(t), Fma(sum, sum, Set(0.9999706f))};
  }
  Vec p = Set(S * 0.008290272f);
  p = Fma(p, r, Set(0.04189816f));
  p = Fma(p, r, Set(S * 0.16667639f));
  p = Fma(p, r, Set(0.49999148f));
  p = Fma(p, r, Set(S * 0.9999997f));
  return {PowerOfTwo(t), Fma(p, r, Set(1.0f))};
}

// Beyond +-87 the result is that of the bound.
template <int S>
SBNN_INLINE Exponential LimitedExp(Vec x) {
  return SplitExp<S>(Min(Set(87.0f), Max(Set(-87.0f), x)));
}

SBNN_INLINE Vec Exp(Vec x) {
  const Exponential e = LimitedExp<1>(x);
  return Mul(e.power, e.rest);
}

SBNN_INLINE Vec Logistic(Vec x) {
  const Vec one = Set(1.0f);
  const Exponential e = LimitedExp<-1>(x);
  return Div(one, Fma(e.power, e.rest, one));
}

SBNN_INLINE Vec Swish(Vec x) {
  x = Max(Set(-87.0f), x);  // below, the divisor stays as it is, and the result is nothing
  const Exponential e = SplitExp<-1>(Min(Set(87.0f), x));
  return Div(x, Fma(e.power, e.rest, Set(1.0f)));
}

SBNN_INLINE Vec HardSwish(Vec x) {
  return Mul(x, Mul(Min(Set(6.0f), Max(Set(0.0f), Add(x, Set(3.0f)))), Set(1.0f / 6)));
}

// 1 - 2 / (1 + e^2x) loses digits near zero, where the odd Taylor series takes over.
SBNN_INLINE Vec Tanh(Vec x) {
  const Vec one = Set(1.0f), zero = Set(0.0f);
  const Vec e = Exp(Add(x, x));
  const Vec far = Sub(one, Div(Set(2.0f), Add(one, e)));
  const Vec s = Mul(x, x);
  Vec p = Set(62.0f / 2835);
  p = Fma(p, s, Set(-17.0f / 315));
  p = Fma(p, s, Set(2.0f / 15));
  p = Fma(p, s, Set(-1.0f / 3));
  const Vec near = Fma(Mul(p, s), x, x);
  // 1 where |x| < 0.25, else 0, without a select: the step is steep and exact at both ends.
  const Vec is_near = Min(Max(Mul(Sub(Set(0.0625f), s), Set(1e30f)), zero), one);
  return Fma(is_near, Sub(Min(Max(near, Set(-1.0f)), one), far), far);
}

// x times the normal distribution's share below x: max(x, 0) - |x| h(|x|), with the share h beyond
// |x| = 1 / (2 p(|x|)^16). (The form is that of Hastings, "Approximations for Digital Computers",
// 1955, part 43; p is fitted, for errors below 6e-8 of the function.)
SBNN_INLINE Vec Gelu(Vec x) {
  const Vec zero = Set(0.0f);
  const Vec size = Min(Set(30.0f), Max(Sub(zero, x), x));  // beyond, p^16 is infinite
  Vec p = Set(1.8563143555638817e-07f);
  p = Fma(p, size, Set(-1.5914558844087878e-06f));
  p = Fma(p, size, Set(1.048118338076165e-05f));
  p = Fma(p, size, Set(4.105506741325371e-05f));
  p = Fma(p, size, Set(4.4660646381089464e-05f));
  p = Fma(p, size, Set(0.00327351619489491f));
  p = Fma(p, size, Set(0.021143091842532158f));
  p = Fma(p, size, Set(0.04986685886979103f));
  p = Fma(p, size, Set(1.0f));
  p = Mul(p, p);
  p = Mul(p, p);
  p = Mul(p, p);
  p = Mul(p, p);
  return Sub(Max(zero, x), Div(Mul(size, Set(0.5f)), p));
}

// Its approximation by tanh, which is a logistic function.
SBNN_INLINE Vec GeluTanh(Vec x) {
  x = Max(Set(-30.0f), x);
  const Vec cube = Mul(x, Mul(x, x));
  return Mul(x, Logistic(Mul(Set(1.59576912f), Fma(cube, Set(0.044715f), x))));
}

template <typename Fn>
SBNN_INLINE void UnaryWith(const UnaryArgs& a, const Fn& fn) {
  const size_t count = a.count, stride = a.stride, rows = a.rows;
  const Element* x = AsElements(a.x);
  Element* y = AsElements(a.y);
  for (size_t row = 0; row < rows; ++row, x += stride, y += stride) {
    ForEachVector(y, count, [&](size_t i, int n) { return fn(LoadSome(x + i, n)); });
  }
}

void Unary(UnaryKind kind, const UnaryArgs& a) {
  switch (kind) {
    case UnaryKind::kLogistic:
      return UnaryWith(a, [](Vec v) { return Logistic(v); });
    case UnaryKind::kTanh:
      return UnaryWith(a, [](Vec v) { return Tanh(v); });
    case UnaryKind::kHardSwish:
      return UnaryWith(a, [](Vec v) { return HardSwish(v); });
    case UnaryKind::kLeakyRelu: {
      const Vec zero = Set(0.0f), slope = Set(a.alpha);
      return UnaryWith(a, [&](Vec v) { return Fma(Min(zero, v), slope, Max(zero, v)); });
    }
    case UnaryKind::kElu: {
      const Vec zero = Set(0.0f);
      return UnaryWith(a,
                       [&](Vec v) { return Add(Max(zero, v), Sub(Exp(Min(zero, v)), Set(1.0f))); });
    }
    case UnaryKind::kGelu:
      return UnaryWith(a, [](Vec v) { return Gelu(v); });
    case UnaryKind::kGeluTanh:
      return UnaryWith(a, [](Vec v) { return GeluTanh(v); });
    case UnaryKind::kSwish:
      return UnaryWith(a, [](Vec v) { return Swish(v); });
  }
}

}  // namespace
}  // namespace SBNN_ISA
}  // namespace sbnn

#endif  // SBNN_DELEGATE_KERNELS_UNARY_INL_H_
