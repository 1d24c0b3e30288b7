// Results of a tile of which not all pixels are there.

namespace sbnn {
namespace int8 {
namespace SBNN_ISA {
namespace {

// A vector of quads, of which `n` are there.
template <class V>
SBNN_INLINE void StoreSome(int8_t* p, typename V::Bytes v, int n) {
  if (n >= V::kLanes) {
    V::Store(p, v);
  } else {
    V::StoreFirst(p, v, n);
  }
}

// To four planes: V::StorePlanes, of which `n` pixels are there.
template <class V>
SBNN_INLINE void StorePlanesSome(int8_t* p, size_t stride, typename V::Bytes v, int n) {
  if (n >= V::kLanes) return V::StorePlanes(p, stride, v);
  if constexpr (V::kLanes == 16) return V::StorePlanesFirst(p, stride, v, n);
  int8_t planes[4][V::kLanes];
  V::StorePlanes(planes[0], V::kLanes, v);
  for (int c = 0; c < 4; ++c) {
    if constexpr (V::kLanes > 4) {
      __builtin_memcpy(p + c * stride, planes[c], n);
    } else {  // one, two or three: no call is worth it
      int8_t* const to = p + c * stride;
      to[0] = planes[c][0];
      if (n > 1) to[1] = planes[c][1];
      if (n > 2) to[2] = planes[c][2];
    }
  }
}

// A vector of pixels of a plane, of which `n` are there.
template <class V>
SBNN_INLINE void StoreBytesSome(int8_t* p, typename V::Bytes v, int n) {
  if (n >= 4 * V::kLanes) return V::Store(p, v);
  if constexpr (V::kLanes == 16) return V::StoreBytesFirst(p, v, n);
  int8_t bytes[4 * V::kLanes];
  V::Store(bytes, v);
  __builtin_memcpy(p, bytes, n);
}

}  // namespace
}  // namespace SBNN_ISA
}  // namespace int8
}  // namespace sbnn
