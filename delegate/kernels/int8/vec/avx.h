// Vectors of 128 and 256 bits: AVX2, with or without the products of VNNI. Those multiply unsigned
// by signed bytes: inputs get 128 added, which the bias takes back.
#ifndef SBNN_DELEGATE_KERNELS_INT8_VEC_AVX_H_
#define SBNN_DELEGATE_KERNELS_INT8_VEC_AVX_H_

#include <immintrin.h>

#include "delegate/kernels/int8/vec/begin.inl.h"

#if defined(SBNN_VNNI)
#define SBNN_INPUT_OFFSET 128
// (GCC 12 copies the sums around each of its builtins: as many instructions again.)
#if defined(SBNN_VEX)
#define SBNN_VPDPBUSD "%{vex%} vpdpbusd"
#define SBNN_ANY_REGISTER "x"
#else
#define SBNN_VPDPBUSD "vpdpbusd"
#define SBNN_ANY_REGISTER "v"
#endif
#else
#define SBNN_INPUT_OFFSET 0
#endif

namespace sbnn {
namespace int8 {
namespace SBNN_ISA {

// Of each quarter, a matrix of 4 x 4 bytes, the transposed one.
SBNN_INLINE __m128i TurnOrder() {
  return _mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
}

// What vectors V of all lengths have alike, given the Types of their registers.
template <class V, class Types>
struct AvxVector {
  static constexpr int kSumRegisters = 1;
  using Bytes = typename Types::Integers;
  using Weights = Bytes;
  using Sums = Bytes;
  using Ints = Bytes;
  using Floats = typename Types::Reals;

  struct Output {
    template <typename R>
    SBNN_INLINE explicit Output(const R& to)
        : zero_point(V::SetShorts(static_cast<short>(to.zero_point))),
          lo(V::SetBytes(static_cast<char>(to.lo))),
          hi(V::SetBytes(static_cast<char>(to.hi))) {}
    Bytes zero_point, lo, hi;
  };

  static SBNN_INLINE Bytes Biased(Bytes v) {
#if defined(SBNN_VNNI)
    return V::Xor(v, V::SetBytes(static_cast<char>(0x80)));
#else
    return v;
#endif
  }
  static SBNN_INLINE Ints Total(Sums sums) { return sums; }
  static SBNN_INLINE Bytes Fill(int8_t x) { return Biased(V::SetBytes(x)); }
  static SBNN_INLINE auto LoadQuads(const int8_t* p) { return V::Prepare(V::Load(p)); }
};

struct Types128 {
  using Integers = __m128i;
  using Reals = __m128;
};

struct V128 : AvxVector<V128, Types128> {
  static constexpr int kLanes = 4;
#if defined(SBNN_VNNI)
  using Quads = __m128i;
#else
  // vpmaddubsw of |x| and of w with the sign of x: a pair is at most 2 * 128 * 127, and exact.
  struct Quads {
    __m128i size, sign;
  };
#endif

  static SBNN_INLINE Bytes SetBytes(char x) { return _mm_set1_epi8(x); }
  static SBNN_INLINE Bytes SetShorts(short x) { return _mm_set1_epi16(x); }
  static SBNN_INLINE Bytes Xor(Bytes a, Bytes b) { return _mm_xor_si128(a, b); }
  static SBNN_INLINE __m128i LoadRaw(const void* p) {
    return _mm_loadu_si128(static_cast<const __m128i*>(p));
  }
  static SBNN_INLINE Bytes Load(const void* p) { return Biased(LoadRaw(p)); }
  static SBNN_INLINE Bytes LoadOne(const int8_t* p) {
    return Biased(_mm_set1_epi32(LoadFourBytes(p)));
  }
  static SBNN_INLINE Bytes SpreadQuads(const int8_t* p, const uint16_t* i) {
    return LoadOne(p + 4 * i[0]);
  }
  static SBNN_INLINE Weights LoadWeights(const int8_t* w) { return Repeat(w); }
  static SBNN_INLINE Sums AddQuarters(Sums sums) { return sums; }
  struct Part {
    SBNN_INLINE Part(int first, int end)
        : mask(_mm_andnot_si128(_mm_cmpgt_epi32(_mm_set1_epi32(first), Lanes()),
                                _mm_cmpgt_epi32(_mm_set1_epi32(end), Lanes()))) {}
    __m128i mask;
  };
  static SBNN_INLINE __m128i Lanes() { return _mm_setr_epi32(0, 1, 2, 3); }
  static SBNN_INLINE Bytes LoadPart(const int8_t* p, const Part& part, Bytes fill) {
    const __m128i v = _mm_maskload_epi32(reinterpret_cast<const int*>(p), part.mask);
    return _mm_blendv_epi8(fill, Biased(v), part.mask);
  }
  static SBNN_INLINE Bytes LoadColumns(const int8_t* const (&p)[4]) {
    return Biased(Turn(_mm_setr_epi32(LoadFourBytes(p[0]), LoadFourBytes(p[1]), LoadFourBytes(p[2]),
                                      LoadFourBytes(p[3]))));
  }
  static SBNN_INLINE Bytes NextQuarter(Bytes, Bytes b) { return b; }
  static SBNN_INLINE Quads Prepare(Bytes v) {
#if defined(SBNN_VNNI)
    return v;
#else
    return {_mm_abs_epi8(v), v};
#endif
  }
  static SBNN_INLINE Weights Broadcast(const int8_t* w) { return _mm_set1_epi32(LoadFourBytes(w)); }
  static SBNN_INLINE Weights Repeat(const int8_t* w) { return LoadRaw(w); }
  static SBNN_INLINE Sums Set(int32_t x) { return _mm_set1_epi32(x); }
  static SBNN_INLINE Sums SetFour(const int32_t* p) { return LoadRaw(p); }
  static SBNN_INLINE void Dot(Sums& sums, Quads x, Weights w) {
#if defined(SBNN_VNNI)
    __asm__(SBNN_VPDPBUSD " %2, %1, %0"
            : "+" SBNN_ANY_REGISTER(sums)
            : SBNN_ANY_REGISTER(x), SBNN_ANY_REGISTER(w));
#else
    const __m128i pairs = _mm_maddubs_epi16(x.size, _mm_sign_epi8(w, x.sign));
    sums = _mm_add_epi32(sums, _mm_madd_epi16(pairs, _mm_set1_epi16(1)));
#endif
  }
  static SBNN_INLINE Sums Add(Sums a, Sums b) { return _mm_add_epi32(a, b); }
  static SBNN_INLINE Ints SetInts(int32_t x) { return _mm_set1_epi32(x); }
  static SBNN_INLINE Ints LoadInts(const int32_t* p) { return LoadRaw(p); }
  static SBNN_INLINE Floats LoadFloats(const float* p) { return _mm_loadu_ps(p); }
  static SBNN_INLINE Ints LessProduct(Ints a, Ints b, Ints c) {
    return _mm_sub_epi32(a, _mm_mullo_epi32(b, c));
  }
  static SBNN_INLINE Floats Scale(Ints sums, Floats a, Floats b, Floats c) {
    return _mm_fmadd_ps(_mm_mul_ps(_mm_cvtepi32_ps(sums), a), b, c);
  }
  static SBNN_INLINE Floats Min(Floats a, Floats b) { return _mm_min_ps(a, b); }
  static SBNN_INLINE Floats Max(Floats a, Floats b) { return _mm_max_ps(a, b); }
  static SBNN_INLINE void StoreFloats(float* p, Floats y) { _mm_storeu_ps(p, y); }
  static SBNN_INLINE Floats SetScale(float x) { return _mm_set1_ps(x); }
  static SBNN_INLINE Floats SetFourScales(const float* p) { return _mm_loadu_ps(p); }
  static SBNN_INLINE Ints Requantize(Sums sums, Floats scale, const Output&) {
    return _mm_cvtps_epi32(_mm_mul_ps(_mm_cvtepi32_ps(sums), scale));
  }
  static SBNN_INLINE Bytes Pack(Ints a, Ints b, Ints c, Ints d, const Output& out) {
    const __m128i ab = _mm_adds_epi16(_mm_packs_epi32(a, b), out.zero_point);
    const __m128i cd = _mm_adds_epi16(_mm_packs_epi32(c, d), out.zero_point);
    return _mm_min_epi8(_mm_max_epi8(_mm_packs_epi16(ab, cd), out.lo), out.hi);
  }
  static SBNN_INLINE Bytes Turn(Bytes v) { return _mm_shuffle_epi8(v, TurnOrder()); }
  static SBNN_INLINE void Store(int8_t* p, Bytes v) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), v);
  }
  static SBNN_INLINE void StoreSums(int32_t* p, Sums v) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), v);
  }
  static SBNN_INLINE void StoreOne(int8_t* p, Bytes v) {
    const int32_t four = _mm_cvtsi128_si32(v);
    __builtin_memcpy(p, &four, 4);
  }
  static SBNN_INLINE void StoreFirst(int8_t* p, Bytes v, int n) {
    const __m128i mask = _mm_cmpgt_epi32(_mm_set1_epi32(n), Lanes());
    _mm_maskstore_epi32(reinterpret_cast<int*>(p), mask, v);
  }
  static SBNN_INLINE void StorePlanes(int8_t* p, size_t stride, Bytes v) {
    const int32_t planes[4] = {_mm_extract_epi32(v, 0), _mm_extract_epi32(v, 1),
                               _mm_extract_epi32(v, 2), _mm_extract_epi32(v, 3)};
    for (int c = 0; c < 4; ++c) __builtin_memcpy(p + c * stride, &planes[c], 4);
  }
};

struct Types256 {
  using Integers = __m256i;
  using Reals = __m256;
};

struct V256 : AvxVector<V256, Types256> {
  static constexpr int kLanes = 8;
#if defined(SBNN_VNNI)
  using Quads = __m256i;
#else
  struct Quads {
    __m256i size, sign;
  };
#endif

  static SBNN_INLINE Bytes SetBytes(char x) { return _mm256_set1_epi8(x); }
  static SBNN_INLINE Bytes SetShorts(short x) { return _mm256_set1_epi16(x); }
  static SBNN_INLINE Bytes Xor(Bytes a, Bytes b) { return _mm256_xor_si256(a, b); }
  static SBNN_INLINE Bytes Load(const void* p) {
    return Biased(_mm256_loadu_si256(static_cast<const __m256i*>(p)));
  }
  static SBNN_INLINE __m256i Lanes() { return _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7); }
  struct Part {
    SBNN_INLINE Part(int first, int end)
        : mask(_mm256_andnot_si256(_mm256_cmpgt_epi32(_mm256_set1_epi32(first), Lanes()),
                                   _mm256_cmpgt_epi32(_mm256_set1_epi32(end), Lanes()))) {}
    __m256i mask;
  };
  static SBNN_INLINE Bytes LoadPart(const int8_t* p, const Part& part, Bytes fill) {
    const __m256i v = _mm256_maskload_epi32(reinterpret_cast<const int*>(p), part.mask);
    return _mm256_blendv_epi8(fill, Biased(v), part.mask);
  }
  static SBNN_INLINE Bytes LoadColumns(const int8_t* const (&p)[4]) {
    const auto eight = [](const int8_t* at) {
      return _mm_loadl_epi64(reinterpret_cast<const __m128i*>(at));
    };
    const __m128i ab = _mm_unpacklo_epi8(eight(p[0]), eight(p[1]));
    const __m128i cd = _mm_unpacklo_epi8(eight(p[2]), eight(p[3]));
    return Biased(_mm256_set_m128i(_mm_unpackhi_epi16(ab, cd), _mm_unpacklo_epi16(ab, cd)));
  }
  template <int kHalf>
  static SBNN_INLINE void Interleave(const Bytes (&b)[4], Bytes (&v)[4]) {
    const __m256i ab =
        kHalf == 0 ? _mm256_unpacklo_epi8(b[0], b[1]) : _mm256_unpackhi_epi8(b[0], b[1]);
    const __m256i cd =
        kHalf == 0 ? _mm256_unpacklo_epi8(b[2], b[3]) : _mm256_unpackhi_epi8(b[2], b[3]);
    v[2 * kHalf] = _mm256_unpacklo_epi16(ab, cd);
    v[2 * kHalf + 1] = _mm256_unpackhi_epi16(ab, cd);
  }
  static SBNN_INLINE Bytes SpreadQuads(const int8_t* p, const uint16_t* i) {
    return _mm256_set_m128i(V128::LoadOne(p + 4 * i[1]), V128::LoadOne(p + 4 * i[0]));
  }
  static SBNN_INLINE Weights LoadWeights(const int8_t* w) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(w));
  }
  static SBNN_INLINE V128::Sums AddQuarters(Sums sums) {
    return _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
  }
  static SBNN_INLINE Bytes NextQuarter(Bytes a, Bytes b) {
    return _mm256_permute2x128_si256(a, b, 0x21);
  }
  static SBNN_INLINE Quads Prepare(Bytes v) {
#if defined(SBNN_VNNI)
    return v;
#else
    return {_mm256_abs_epi8(v), v};
#endif
  }
  static SBNN_INLINE Weights Broadcast(const int8_t* w) {
    return _mm256_set1_epi32(LoadFourBytes(w));
  }
  static SBNN_INLINE Weights Repeat(const int8_t* w) {
    return _mm256_broadcastsi128_si256(V128::LoadRaw(w));
  }
  static SBNN_INLINE Sums Set(int32_t x) { return _mm256_set1_epi32(x); }
  static SBNN_INLINE Sums Add(Sums a, Sums b) { return _mm256_add_epi32(a, b); }
  static SBNN_INLINE Sums SetFour(const int32_t* p) {
    return _mm256_broadcastsi128_si256(V128::LoadRaw(p));
  }
  static SBNN_INLINE void Dot(Sums& sums, Quads x, Weights w) {
#if defined(SBNN_VNNI)
    __asm__(SBNN_VPDPBUSD " %2, %1, %0"
            : "+" SBNN_ANY_REGISTER(sums)
            : SBNN_ANY_REGISTER(x), SBNN_ANY_REGISTER(w));
#else
    const __m256i pairs = _mm256_maddubs_epi16(x.size, _mm256_sign_epi8(w, x.sign));
    sums = _mm256_add_epi32(sums, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
#endif
  }
  static SBNN_INLINE Ints SetInts(int32_t x) { return _mm256_set1_epi32(x); }
  static SBNN_INLINE Ints LoadInts(const int32_t* p) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  }
  static SBNN_INLINE Floats LoadFloats(const float* p) { return _mm256_loadu_ps(p); }
  static SBNN_INLINE Ints LessProduct(Ints a, Ints b, Ints c) {
    return _mm256_sub_epi32(a, _mm256_mullo_epi32(b, c));
  }
  static SBNN_INLINE Floats Scale(Ints sums, Floats a, Floats b, Floats c) {
    return _mm256_fmadd_ps(_mm256_mul_ps(_mm256_cvtepi32_ps(sums), a), b, c);
  }
  static SBNN_INLINE Floats Min(Floats a, Floats b) { return _mm256_min_ps(a, b); }
  static SBNN_INLINE Floats Max(Floats a, Floats b) { return _mm256_max_ps(a, b); }
  static SBNN_INLINE void StoreFloats(float* p, Floats y) { _mm256_storeu_ps(p, y); }
  static SBNN_INLINE Floats SetScale(float x) { return _mm256_set1_ps(x); }
  static SBNN_INLINE Floats SetFourScales(const float* p) {
    return _mm256_broadcast_ps(reinterpret_cast<const __m128*>(p));
  }
  static SBNN_INLINE Ints Requantize(Sums sums, Floats scale, const Output&) {
    return _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_cvtepi32_ps(sums), scale));
  }
  static SBNN_INLINE Bytes Pack(Ints a, Ints b, Ints c, Ints d, const Output& out) {
    const __m256i ab = _mm256_adds_epi16(_mm256_packs_epi32(a, b), out.zero_point);
    const __m256i cd = _mm256_adds_epi16(_mm256_packs_epi32(c, d), out.zero_point);
    return _mm256_min_epi8(_mm256_max_epi8(_mm256_packs_epi16(ab, cd), out.lo), out.hi);
  }
  static SBNN_INLINE Bytes Turn(Bytes v) {
    return _mm256_shuffle_epi8(v, _mm256_broadcastsi128_si256(TurnOrder()));
  }
  static SBNN_INLINE void Store(int8_t* p, Bytes v) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), v);
  }
  static SBNN_INLINE void StoreFirst(int8_t* p, Bytes v, int n) {
    _mm256_maskstore_epi32(reinterpret_cast<int*>(p),
                           _mm256_cmpgt_epi32(_mm256_set1_epi32(n), Lanes()), v);
  }
  static SBNN_INLINE Bytes JoinHalves(Bytes v) { return _mm256_permute4x64_epi64(v, 0xd8); }
  static SBNN_INLINE void StorePlanes(int8_t* p, size_t stride, Bytes v) {
    v = _mm256_permutevar8x32_epi32(v, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
    const __m128i low = _mm256_castsi256_si128(v), high = _mm256_extracti128_si256(v, 1);
    _mm_storel_epi64(reinterpret_cast<__m128i*>(p), low);
    _mm_storel_epi64(reinterpret_cast<__m128i*>(p + stride), _mm_unpackhi_epi64(low, low));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(p + 2 * stride), high);
    _mm_storel_epi64(reinterpret_cast<__m128i*>(p + 3 * stride), _mm_unpackhi_epi64(high, high));
  }
  static SBNN_INLINE void InOrder(__m256i (&v)[4]) {
    const __m256i low01 = _mm256_permute2x128_si256(v[0], v[1], 0x20);
    const __m256i low23 = _mm256_permute2x128_si256(v[2], v[3], 0x20);
    v[3] = _mm256_permute2x128_si256(v[2], v[3], 0x31);
    v[2] = _mm256_permute2x128_si256(v[0], v[1], 0x31);
    v[0] = low01;
    v[1] = low23;
  }
};

// The weights of a step: loaded one after the other, as operands of what multiplies by them.
template <class V, int G>
struct GroupWeights {
  SBNN_INLINE explicit GroupWeights(const int8_t* p) : w(p) {}
  template <class Vector>
  SBNN_INLINE void DotWith(typename Vector::Sums& sums, typename Vector::Quads x, int i) const {
    Vector::Dot(sums, x, Vector::Broadcast(w + 4 * i));
  }
  const int8_t* w;
};

}  // namespace SBNN_ISA
}  // namespace int8
}  // namespace sbnn

#endif  // SBNN_DELEGATE_KERNELS_INT8_VEC_AVX_H_
