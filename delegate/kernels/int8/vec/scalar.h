// A "vector" of four lanes, in plain C++: the reference, and what runs where nothing else does.
#ifndef SBNN_DELEGATE_KERNELS_INT8_VEC_SCALAR_H_
#define SBNN_DELEGATE_KERNELS_INT8_VEC_SCALAR_H_

#define SBNN_ISA scalar
#define SBNN_REGISTERS 32  // no second pass is worth it
#define SBNN_INPUT_OFFSET 0

#include "delegate/kernels/int8/vec/begin.inl.h"

namespace sbnn {
namespace int8 {
namespace SBNN_ISA {

struct V128 {
  static constexpr int kLanes = 4;
  static constexpr int kSumRegisters = 1;
  struct Bytes {
    int8_t at[16];
  };
  using Quads = Bytes;
  using Weights = Bytes;
  struct Sums {
    // (Sums wrap as those of vectors do.)
    uint32_t at[4];
  };
  struct Ints {
    int32_t at[4];
  };
  struct Floats {
    float at[4];
  };
  struct Output {
    template <typename R>
    SBNN_INLINE explicit Output(const R& to) : zero_point(to.zero_point), lo(to.lo), hi(to.hi) {}
    int32_t zero_point, lo, hi;
  };

  static SBNN_INLINE Bytes Load(const void* p) {
    Bytes v;
    __builtin_memcpy(&v, p, 16);
    return v;
  }
  static SBNN_INLINE Bytes LoadOne(const int8_t* p) { return Broadcast(p); }
  static SBNN_INLINE Bytes Fill(int8_t x) {
    Bytes v;
    for (int8_t& b : v.at) b = x;
    return v;
  }
  static SBNN_INLINE Bytes SpreadQuads(const int8_t* p, const uint16_t* i) {
    return LoadOne(p + 4 * i[0]);
  }
  static SBNN_INLINE Weights LoadWeights(const int8_t* w) { return Repeat(w); }
  static SBNN_INLINE Sums AddQuarters(Sums sums) { return sums; }
  struct Part {
    int first, end;
    SBNN_INLINE Part(int first, int end) : first(first), end(end < 4 ? end : 4) {}
  };
  static SBNN_INLINE Bytes LoadPart(const int8_t* p, const Part& part, Bytes fill) {
    for (int i = part.first; i < part.end; ++i) __builtin_memcpy(fill.at + 4 * i, p + 4 * i, 4);
    return fill;
  }
  static SBNN_INLINE Bytes LoadColumns(const int8_t* const (&p)[4]) {
    Bytes v;
    for (int i = 0; i < 16; ++i) v.at[i] = p[i % 4][i / 4];
    return v;
  }
  template <int kHalf>
  static SBNN_INLINE void Interleave(const Bytes (&b)[4], Bytes (&v)[4]) {
    for (int k = 2 * kHalf; k < 2 * kHalf + 2; ++k) {
      for (int i = 0; i < 16; ++i) v[k].at[i] = b[i % 4].at[4 * k + i / 4];
    }
  }
  static SBNN_INLINE Bytes NextQuarter(Bytes, Bytes b) { return b; }
  static SBNN_INLINE Quads Prepare(Bytes v) { return v; }
  static SBNN_INLINE Quads LoadQuads(const int8_t* p) { return Load(p); }
  static SBNN_INLINE Weights Broadcast(const int8_t* w) {
    Bytes v;
    for (int i = 0; i < 16; ++i) v.at[i] = w[i % 4];
    return v;
  }
  static SBNN_INLINE Weights Repeat(const int8_t* w) { return Load(w); }
  static SBNN_INLINE Sums Set(int32_t x) {
    const uint32_t u = static_cast<uint32_t>(x);
    return {{u, u, u, u}};
  }
  static SBNN_INLINE Sums SetFour(const int32_t* p) {
    Sums v;
    __builtin_memcpy(&v, p, 16);
    return v;
  }
  static SBNN_INLINE void Dot(Sums& sums, Quads x, Weights w) {
    for (int i = 0; i < 16; ++i) sums.at[i / 4] += static_cast<uint32_t>(x.at[i] * w.at[i]);
  }
  static SBNN_INLINE Sums Add(Sums a, Sums b) {
    for (int i = 0; i < 4; ++i) a.at[i] += b.at[i];
    return a;
  }
  static SBNN_INLINE Ints Total(Sums sums) {
    Ints v;
    __builtin_memcpy(&v, &sums, 16);
    return v;
  }
  static SBNN_INLINE Ints SetInts(int32_t x) { return {{x, x, x, x}}; }
  static SBNN_INLINE Ints LoadInts(const int32_t* p) { return {{p[0], p[1], p[2], p[3]}}; }
  static SBNN_INLINE Floats LoadFloats(const float* p) { return SetFourScales(p); }
  static SBNN_INLINE Ints LessProduct(Ints a, Ints b, Ints c) {
    for (int i = 0; i < 4; ++i) {
      a.at[i] =
          static_cast<int32_t>(static_cast<uint32_t>(a.at[i]) -
                               static_cast<uint32_t>(b.at[i]) * static_cast<uint32_t>(c.at[i]));
    }
    return a;
  }
  static SBNN_INLINE Floats Scale(Ints sums, Floats a, Floats b, Floats c) {
    Floats y;
    for (int i = 0; i < 4; ++i) {
      y.at[i] = __builtin_fmaf(static_cast<float>(sums.at[i]) * a.at[i], b.at[i], c.at[i]);
    }
    return y;
  }
  static SBNN_INLINE Floats Min(Floats a, Floats b) {
    for (int i = 0; i < 4; ++i) a.at[i] = a.at[i] < b.at[i] ? a.at[i] : b.at[i];
    return a;
  }
  static SBNN_INLINE Floats Max(Floats a, Floats b) {
    for (int i = 0; i < 4; ++i) a.at[i] = a.at[i] > b.at[i] ? a.at[i] : b.at[i];
    return a;
  }
  static SBNN_INLINE void StoreFloats(float* p, Floats y) { __builtin_memcpy(p, y.at, 16); }
  static SBNN_INLINE Floats SetScale(float x) { return {{x, x, x, x}}; }
  static SBNN_INLINE Floats SetFourScales(const float* p) { return {{p[0], p[1], p[2], p[3]}}; }
  // Limited, a number has so few bits that adding 1.5 * 2^23 rounds it.
  static SBNN_INLINE Ints Requantize(Sums sums, Floats scale, const Output& out) {
    const float most = static_cast<float>(out.hi - out.zero_point);
    const float least = static_cast<float>(out.lo - out.zero_point);
    Ints y;
    for (int i = 0; i < 4; ++i) {
      float v = static_cast<float>(static_cast<int32_t>(sums.at[i])) * scale.at[i];
      v = v > most ? most : v < least ? least : v;
      const volatile float rounded = v + 0x1.8p23f;
      y.at[i] = static_cast<int32_t>(rounded - 0x1.8p23f);
    }
    return y;
  }
  static SBNN_INLINE Bytes Pack(Ints a, Ints b, Ints c, Ints d, const Output& out) {
    Bytes v;
    for (int i = 0; i < 4; ++i) {
      v.at[i] = static_cast<int8_t>(a.at[i] + out.zero_point);
      v.at[4 + i] = static_cast<int8_t>(b.at[i] + out.zero_point);
      v.at[8 + i] = static_cast<int8_t>(c.at[i] + out.zero_point);
      v.at[12 + i] = static_cast<int8_t>(d.at[i] + out.zero_point);
    }
    return v;
  }
  static SBNN_INLINE Bytes Turn(Bytes v) {
    Bytes t;
    for (int i = 0; i < 16; ++i) t.at[i] = v.at[i % 4 * 4 + i / 4];
    return t;
  }
  static SBNN_INLINE Bytes JoinHalves(Bytes v) { return v; }
  static SBNN_INLINE void Store(int8_t* p, Bytes v) { __builtin_memcpy(p, &v, 16); }
  static SBNN_INLINE void StoreSums(int32_t* p, Sums v) { __builtin_memcpy(p, &v, 16); }
  static SBNN_INLINE void StoreOne(int8_t* p, Bytes v) { __builtin_memcpy(p, &v, 4); }
  static SBNN_INLINE void StoreFirst(int8_t* p, Bytes v, int n) { __builtin_memcpy(p, &v, 4 * n); }
  static SBNN_INLINE void StorePlanes(int8_t* p, size_t stride, Bytes v) {
    for (int c = 0; c < 4; ++c) __builtin_memcpy(p + c * stride, v.at + 4 * c, 4);
  }
  template <class Vectors>
  static SBNN_INLINE void InOrder(Vectors&) {}
};

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

#endif  // SBNN_DELEGATE_KERNELS_INT8_VEC_SCALAR_H_
