// Sums of products as the compiler writes them. For instruction sets that it does this well for.
namespace sbnn {
namespace SBNN_ISA {

template <int N>
SBNN_INLINE void AddScaled(const Element* w, Element x, typename Elements<N>::Type* sum) {
  const auto& weights = *reinterpret_cast<const typename Elements<N>::Unaligned*>(w);
  *sum += weights * x;
}

SBNN_INLINE void AddProducts(const Element* w, Four x, Four* sum) {
  *sum += *reinterpret_cast<const UnalignedFour*>(w) * x;
}

}  // namespace SBNN_ISA
}  // namespace sbnn
