// A function of single bytes, by its table.
#include "delegate/kernels/int8/kernels.h"

namespace sbnn {
namespace int8 {
namespace SBNN_ISA {
namespace {

#if defined(__AVX2__)
// A shuffle picks from sixteen bytes by the low half of an index. The other half's bits choose, one
// after the other, among what the sixteen parts of a table gave.
template <int kParts>
SBNN_INLINE __m256i Chosen(const __m256i* parts, __m256i low, const __m256i* bits) {
  if constexpr (kParts == 1) {
    return _mm256_shuffle_epi8(*parts, low);
  } else {
    constexpr int kBit = kParts == 2 ? 0 : kParts == 4 ? 1 : kParts == 8 ? 2 : 3;
    return _mm256_blendv_epi8(Chosen<kParts / 2>(parts, low, bits),
                              Chosen<kParts / 2>(parts + kParts / 2, low, bits), bits[kBit]);
  }
}

void Lookup(const int8_t* x, int8_t* y, size_t count, const int8_t* table) {
  size_t i = 0;
  if (count >= 32) {
    __m256i parts[16];
    for (int p = 0; p < 16; ++p) {
      parts[p] = _mm256_broadcastsi128_si256(V128::LoadRaw(table + 16 * p));
    }
    for (; i + 32 <= count; i += 32) {
      const __m256i v = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(x + i));
      const __m256i low = _mm256_and_si256(v, _mm256_set1_epi8(15));
      // Bits 4 to 7, each as the highest of its byte.
      const __m256i bits[4] = {_mm256_slli_epi16(v, 3), _mm256_slli_epi16(v, 2),
                               _mm256_slli_epi16(v, 1), v};
      V256::Store(y + i, Chosen<16>(parts, low, bits));
    }
  }
  for (; i < count; ++i) y[i] = table[static_cast<uint8_t>(x[i])];
}
#else
void Lookup(const int8_t* x, int8_t* y, size_t count, const int8_t* table) {
  for (size_t i = 0; i < count; ++i) y[i] = table[static_cast<uint8_t>(x[i])];
}
#endif

}  // namespace
}  // namespace SBNN_ISA
}  // namespace int8
}  // namespace sbnn
