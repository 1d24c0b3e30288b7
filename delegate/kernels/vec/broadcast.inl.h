// Multiplication by one number as multiplication by a vector of it. The compiler keeps Set(b) in a
// register where it serves several FMAs. For instruction sets that can't multiply by one lane.
namespace sbnn {
namespace SBNN_ISA {

SBNN_INLINE Vec FmaScalar(Vec a, Element b, Vec c) { return Fma(a, Set(b), c); }

template <int N>
struct Scalars {
  SBNN_INLINE explicit Scalars(const Element* p) : p(p) {}
  SBNN_INLINE Element operator[](int i) const { return p[i]; }
  const Element* p;
};

}  // namespace SBNN_ISA
}  // namespace sbnn
