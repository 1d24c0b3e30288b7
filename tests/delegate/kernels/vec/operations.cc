// Compiled once for each instruction set, behind the header of its vectors (see BUILD).
#include "tests/delegate/kernels/vec/operations.h"

#include "delegate/kernels/vec/vec.h"

namespace sbnn {
namespace SBNN_ISA {
namespace {

SBNN_INLINE Vec In(const void* p) { return Load(AsElements(p)); }
SBNN_INLINE void Out(Vec a, void* p) { Store(AsElements(p), a); }

template <int N>
void FmaScalars(const void* a, const void* s, const void* c, void* out) {
  const Scalars<N> scalars(AsElements(s));
#pragma GCC unroll 8
  for (int i = 0; i < N; ++i) {
    Store(AsElements(out) + i * Vec::kLanes, FmaScalar(In(a), scalars[i], In(c)));
  }
}

template <int N>
void Shift(const void* a, const void* b, void* out) {
  Out(Shifted<N>(In(a), In(b)), out);
}

template <int N>
void AddScaledTo(const void* w, const void* x, const void* sum, void* out) {
  typename Elements<N>::Type total = *static_cast<const typename Elements<N>::Unaligned*>(sum);
  AddScaled<N>(AsElements(w), *AsElements(x), &total);
  *static_cast<typename Elements<N>::Unaligned*>(out) = total;
}

void AddProductsTo(const void* w, const void* x, const void* sum, void* out) {
  Four total = *static_cast<const UnalignedFour*>(sum);
  AddProducts(AsElements(w), *static_cast<const UnalignedFour*>(x), &total);
  *static_cast<UnalignedFour*>(out) = total;
}

template <int G>
void OutputsOf(const void* w, const void* x, const void* p, void* out) {
  Outputs<G> once, all;
  once.Set(AsElements(p));
  once.AddScaled(AsElements(w), *AsElements(x));
  all = once;
  all.Add(once);
  all.Add(G - 1, AsElements(p)[G - 1]);
  for (int i = 0; i < G; ++i) AsElements(out)[i] = all[i];
}

VecOperations Collect() {
  VecOperations o = {};
  o.isa = SBNN_ISA_NAME;
  o.element_bytes = sizeof(Element);
  o.lanes = Vec::kLanes;
  o.registers = kRegisters;
  o.side_by_side = Vec::kSideBySide;
  o.exact_thirds = Vec::kExactThirds;
  o.load_and_store = [](const void* a, void* out) { Out(In(a), out); };
  o.load_thirds = [](const void* a, void* out) { Out(LoadThirds(AsElements(a)), out); };
  o.keep = [](const void* a, void* out) { Out(Keep(In(a)), out); };
  o.load_first = [](const void* a, int n, void* out) { Out(LoadFirst(AsElements(a), n), out); };
  o.store_first = [](const void* a, int n, void* out) { StoreFirst(AsElements(out), In(a), n); };
  o.load_masked = [](const void* a, int first, int end, void* out) {
    Out(LoadMasked(AsElements(a), MaskOf(first, end)), out);
  };
  o.blend = [](const void* a, const void* b, int first, int end, void* out) {
    Out(Blend(MaskOf(first, end), In(a), In(b)), out);
  };
#if defined(SBNN_MASKED)
  o.masked = [](const void* a, int first, int end, void* out) {
    Out(Masked(In(a), MaskOf(first, end)), out);
  };
#endif
  o.set = [](const void* a, void* out) { Out(Set(*AsElements(a)), out); };
  o.add = [](const void* a, const void* b, void* out) { Out(Add(In(a), In(b)), out); };
  o.sub = [](const void* a, const void* b, void* out) { Out(Sub(In(a), In(b)), out); };
  o.mul = [](const void* a, const void* b, void* out) { Out(Mul(In(a), In(b)), out); };
  o.div = [](const void* a, const void* b, void* out) { Out(Div(In(a), In(b)), out); };
  o.max = [](const void* a, const void* b, void* out) { Out(Max(In(a), In(b)), out); };
  o.min = [](const void* a, const void* b, void* out) { Out(Min(In(a), In(b)), out); };
  o.fma = [](const void* a, const void* b, const void* c, void* out) {
    Out(Fma(In(a), In(b), In(c)), out);
  };
  o.fma_scalars[0] = &FmaScalars<1>;
  o.fma_scalars[1] = &FmaScalars<2>;
  o.fma_scalars[2] = &FmaScalars<4>;
  o.fma_scalars[3] = &FmaScalars<8>;
  o.two_sets = [](const void* a, void* out) {
    const TwoSets sets(AsElements(a));
    Out(sets.of[0], out);
    Store(AsElements(out) + Vec::kLanes, sets.of[1]);
  };
  o.deinterleave = [](const void* a, const void* b, const void* even, void* odd) {
    Vec e, d;
    Deinterleave(In(a), In(b), &e, &d);
    Out(e, const_cast<void*>(even));
    Out(d, odd);
  };
  o.shifted[0] = &Shift<1>;
  o.shifted[1] = &Shift<2>;
  o.shifted[2] = &Shift<3>;
  o.shifted[3] = &Shift<4>;
  o.add_lanes = [](const void* a) -> float { return AddLanes(In(a)); };
  o.add_wide = [](const void* a, const void* b) -> float {
    return AddLanes(Add(Widen(In(a)), Widen(In(b))));
  };
  o.first_four = [](const void* a, void* out) {
    *static_cast<UnalignedFour*>(out) = FirstFour(In(a));
  };
  o.add_scaled[0] = &AddScaledTo<2>;
  o.add_scaled[1] = &AddScaledTo<4>;
  o.add_scaled[2] = &AddScaledTo<8>;
  o.add_products = &AddProductsTo;
  o.outputs[0] = &OutputsOf<2>;
  o.outputs[1] = &OutputsOf<4>;
  o.outputs[2] = &OutputsOf<8>;
#if defined(SBNN_FP16)
  o.widen = [](const void* a, float* out) { StoreWide(out, Widen(In(a))); };
  o.narrow = [](const float* a, void* out) { Out(Narrow(LoadWide(a)), out); };
#else
  o.steps_of_two = Vec::kStepsOfTwo;
  o.rounder = Vec::kRounder;
  o.power_of_two = [](const float* a, float* out) {
    Store(out, PowerOfTwo(Add(Load(a), Set(Vec::kRounder))));
  };
  o.permute = [](const float* a, const int32_t* p, int first, float* out) {
    Store(out, Permute(Load(a), p, first));
  };
#endif
#if defined(SBNN_VECTOR_HALVES)
  o.halves = [](float low, float high, int n, float* to_low, float* to_high) {
    StoreHalves(to_low, to_high, SetHalves(low, high), n);
  };
  o.look_up = [](const float* a, const float* b, int first, int step, int n, float* out) {
    Store(out, LookUp(Load(a), Load(b), PairIndexOf(first, step, n)));
  };
#endif
  return o;
}

}  // namespace

const VecOperations& Operations() {
  static const VecOperations operations = Collect();
  return operations;
}

}  // namespace SBNN_ISA
}  // namespace sbnn
