// Vectors of 512 bits: AVX-512 F, BW, DQ and VL, with or without VNNI.
#ifndef SBNN_DELEGATE_KERNELS_INT8_VEC_AVX512_H_
#define SBNN_DELEGATE_KERNELS_INT8_VEC_AVX512_H_

#include "delegate/kernels/int8/vec/avx.h"

namespace sbnn {
namespace int8 {
namespace SBNN_ISA {

struct Types512 {
  using Integers = __m512i;
  using Reals = __m512;
};

struct V512 : AvxVector<V512, Types512> {
  static constexpr int kLanes = 16;
#if defined(SBNN_VNNI)
  using Quads = __m512i;
#else
  // As V128's; there is no vpsignb of this width.
  struct Quads {
    __m512i size;
    __mmask64 negative;
  };
#endif

  static SBNN_INLINE Bytes SetBytes(char x) { return _mm512_set1_epi8(x); }
  static SBNN_INLINE Bytes SetShorts(short x) { return _mm512_set1_epi16(x); }
  static SBNN_INLINE Bytes Xor(Bytes a, Bytes b) { return _mm512_xor_si512(a, b); }
  static SBNN_INLINE Bytes Load(const void* p) { return Biased(_mm512_loadu_si512(p)); }
  struct Part {
    SBNN_INLINE Part(int first, int end)
        : mask(static_cast<__mmask16>((end >= 16 ? 0xffffu : (1u << end) - 1u) &
                                      ~((1u << first) - 1u))) {}
    __mmask16 mask;
  };
  static SBNN_INLINE Bytes LoadPart(const int8_t* p, const Part& part, Bytes fill) {
    return Biased(_mm512_mask_loadu_epi32(Biased(fill), part.mask, p));
  }
  // The quarters as rows of a matrix of dwords, transposed.
  static SBNN_INLINE __m512i ByQuarters() {
    return _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  }
  static SBNN_INLINE Bytes LoadColumns(const int8_t* const (&p)[4]) {
    __m512i v = _mm512_castsi128_si512(V128::LoadRaw(p[0]));
    v = _mm512_mask_broadcast_i32x4(v, 0x00f0, V128::LoadRaw(p[1]));
    v = _mm512_mask_broadcast_i32x4(v, 0x0f00, V128::LoadRaw(p[2]));
    v = _mm512_mask_broadcast_i32x4(v, 0xf000, V128::LoadRaw(p[3]));
    // Four pixels of each of the planes to a quarter.
    return Biased(Turn(_mm512_permutexvar_epi32(ByQuarters(), v)));
  }
  template <int kHalf>
  static SBNN_INLINE void Interleave(const Bytes (&b)[4], Bytes (&v)[4]) {
    const __m512i ab =
        kHalf == 0 ? _mm512_unpacklo_epi8(b[0], b[1]) : _mm512_unpackhi_epi8(b[0], b[1]);
    const __m512i cd =
        kHalf == 0 ? _mm512_unpacklo_epi8(b[2], b[3]) : _mm512_unpackhi_epi8(b[2], b[3]);
    v[2 * kHalf] = _mm512_unpacklo_epi16(ab, cd);
    v[2 * kHalf + 1] = _mm512_unpackhi_epi16(ab, cd);
  }
  // (Quads that follow one another, as all do in a dense matrix, take one load.)
  static SBNN_INLINE Bytes SpreadQuads(const int8_t* p, const uint16_t* i) {
    if (i[3] == i[0] + 3 && i[1] == i[0] + 1 && i[2] == i[0] + 2) {
      const __m512i four = _mm512_castsi128_si512(V128::Load(p + 4 * i[0]));
      const __m512i order = _mm512_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3);
      return _mm512_permutexvar_epi32(order, four);
    }
    __m512i v = _mm512_set1_epi32(LoadFourBytes(p + 4 * i[0]));
    v = _mm512_mask_set1_epi32(v, 0x00f0, LoadFourBytes(p + 4 * i[1]));
    v = _mm512_mask_set1_epi32(v, 0x0f00, LoadFourBytes(p + 4 * i[2]));
    return Biased(_mm512_mask_set1_epi32(v, 0xf000, LoadFourBytes(p + 4 * i[3])));
  }
  static SBNN_INLINE Weights LoadWeights(const int8_t* w) { return _mm512_loadu_si512(w); }
  static SBNN_INLINE V128::Sums AddQuarters(Sums sums) {
    const __m256i half =
        _mm256_add_epi32(_mm512_castsi512_si256(sums), _mm512_extracti64x4_epi64(sums, 1));
    return _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
  }
  static SBNN_INLINE Bytes NextQuarter(Bytes a, Bytes b) { return _mm512_alignr_epi64(b, a, 2); }
  static SBNN_INLINE Quads Prepare(Bytes v) {
#if defined(SBNN_VNNI)
    return v;
#else
    return {_mm512_abs_epi8(v), _mm512_movepi8_mask(v)};
#endif
  }
  static SBNN_INLINE Weights Broadcast(const int8_t* w) {
    return _mm512_set1_epi32(LoadFourBytes(w));
  }
  static SBNN_INLINE Weights Repeat(const int8_t* w) {
    return _mm512_broadcast_i32x4(V128::LoadRaw(w));
  }
  static SBNN_INLINE Sums Set(int32_t x) { return _mm512_set1_epi32(x); }
  static SBNN_INLINE Sums Add(Sums a, Sums b) { return _mm512_add_epi32(a, b); }
  static SBNN_INLINE Sums SetFour(const int32_t* p) {
    return _mm512_broadcast_i32x4(V128::LoadRaw(p));
  }
  static SBNN_INLINE void Dot(Sums& sums, Quads x, Weights w) {
#if defined(SBNN_VNNI)
    __asm__("vpdpbusd %2, %1, %0" : "+v"(sums) : "v"(x), "v"(w));
#else
    const __m512i signed_w = _mm512_mask_sub_epi8(w, x.negative, _mm512_setzero_si512(), w);
    const __m512i pairs = _mm512_maddubs_epi16(x.size, signed_w);
    sums = _mm512_add_epi32(sums, _mm512_madd_epi16(pairs, _mm512_set1_epi16(1)));
#endif
  }
  static SBNN_INLINE Ints SetInts(int32_t x) { return _mm512_set1_epi32(x); }
  static SBNN_INLINE Ints LoadInts(const int32_t* p) { return _mm512_loadu_si512(p); }
  static SBNN_INLINE Floats LoadFloats(const float* p) { return _mm512_loadu_ps(p); }
  static SBNN_INLINE Ints LessProduct(Ints a, Ints b, Ints c) {
    return _mm512_sub_epi32(a, _mm512_mullo_epi32(b, c));
  }
  static SBNN_INLINE Floats Scale(Ints sums, Floats a, Floats b, Floats c) {
    return _mm512_fmadd_ps(_mm512_mul_ps(_mm512_cvtepi32_ps(sums), a), b, c);
  }
  static SBNN_INLINE Floats Min(Floats a, Floats b) { return _mm512_min_ps(a, b); }
  static SBNN_INLINE Floats Max(Floats a, Floats b) { return _mm512_max_ps(a, b); }
  static SBNN_INLINE void StoreFloats(float* p, Floats y) { _mm512_storeu_ps(p, y); }
  static SBNN_INLINE Floats SetScale(float x) { return _mm512_set1_ps(x); }
  static SBNN_INLINE Floats SetFourScales(const float* p) {
    return _mm512_broadcast_f32x4(_mm_loadu_ps(p));
  }
  static SBNN_INLINE Ints Requantize(Sums sums, Floats scale, const Output&) {
    return _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_cvtepi32_ps(sums), scale));
  }
  static SBNN_INLINE Bytes Pack(Ints a, Ints b, Ints c, Ints d, const Output& out) {
    const __m512i ab = _mm512_adds_epi16(_mm512_packs_epi32(a, b), out.zero_point);
    const __m512i cd = _mm512_adds_epi16(_mm512_packs_epi32(c, d), out.zero_point);
    return _mm512_min_epi8(_mm512_max_epi8(_mm512_packs_epi16(ab, cd), out.lo), out.hi);
  }
  static SBNN_INLINE Bytes Turn(Bytes v) {
    return _mm512_shuffle_epi8(v, _mm512_broadcast_i32x4(TurnOrder()));
  }
  static SBNN_INLINE void Store(int8_t* p, Bytes v) { _mm512_storeu_si512(p, v); }
  static SBNN_INLINE void StoreFirst(int8_t* p, Bytes v, int n) {
    _mm512_mask_storeu_epi32(p, static_cast<__mmask16>((1u << n) - 1u), v);
  }
  static SBNN_INLINE void StoreBytesFirst(int8_t* p, Bytes v, int n) {
    _mm512_mask_storeu_epi8(p, (__mmask64{1} << n) - 1, v);
  }
  static SBNN_INLINE Bytes JoinHalves(Bytes v) {
    return _mm512_permutexvar_epi64(_mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7), v);
  }
  static SBNN_INLINE void StorePlanes(int8_t* p, size_t stride, Bytes v) {
    v = _mm512_permutexvar_epi32(ByQuarters(), v);
    V128::Store(p, _mm512_castsi512_si128(v));
    V128::Store(p + stride, _mm512_extracti32x4_epi32(v, 1));
    V128::Store(p + 2 * stride, _mm512_extracti32x4_epi32(v, 2));
    V128::Store(p + 3 * stride, _mm512_extracti32x4_epi32(v, 3));
  }
  static SBNN_INLINE void StorePlanesFirst(int8_t* p, size_t stride, Bytes v, int n) {
    const __mmask16 mask = static_cast<__mmask16>((1u << n) - 1u);
    v = _mm512_permutexvar_epi32(ByQuarters(), v);
    _mm_mask_storeu_epi8(p, mask, _mm512_castsi512_si128(v));
    _mm_mask_storeu_epi8(p + stride, mask, _mm512_extracti32x4_epi32(v, 1));
    _mm_mask_storeu_epi8(p + 2 * stride, mask, _mm512_extracti32x4_epi32(v, 2));
    _mm_mask_storeu_epi8(p + 3 * stride, mask, _mm512_extracti32x4_epi32(v, 3));
  }
  static SBNN_INLINE void InOrder(__m512i (&v)[4]) {
    const __m512i low01 = _mm512_shuffle_i32x4(v[0], v[1], 0x44);
    const __m512i high01 = _mm512_shuffle_i32x4(v[0], v[1], 0xee);
    const __m512i low23 = _mm512_shuffle_i32x4(v[2], v[3], 0x44);
    const __m512i high23 = _mm512_shuffle_i32x4(v[2], v[3], 0xee);
    v[0] = _mm512_shuffle_i32x4(low01, low23, 0x88);
    v[1] = _mm512_shuffle_i32x4(low01, low23, 0xdd);
    v[2] = _mm512_shuffle_i32x4(high01, high23, 0x88);
    v[3] = _mm512_shuffle_i32x4(high01, high23, 0xdd);
  }
};

}  // namespace SBNN_ISA
}  // namespace int8
}  // namespace sbnn

#endif  // SBNN_DELEGATE_KERNELS_INT8_VEC_AVX512_H_
