// What NEON of 64 bits has that NEON of 32 does not, or does another way.
namespace sbnn {
namespace SBNN_ISA {

SBNN_INLINE Vec Div(Vec a, Vec b) { return {vdivq_f32(a.v, b.v)}; }
SBNN_INLINE Vec FmaScalar(Vec a, float b, Vec c) { return {vfmaq_n_f32(c.v, a.v, b)}; }
// One load brings four, and each is a lane that the FMA picks. (Loaded one by one they take a
// register each, and the accumulators of the widest tiles are spilt.)
template <int N>
struct Scalars {
  SBNN_INLINE explicit Scalars(const float* p) : p(p) {
#pragma GCC unroll 6
    for (int i = 0; i < N / 4; ++i) fours[i] = vld1q_f32(p + 4 * i);
    if constexpr (kLoaded > N / 4 * 4) fours[N / 4] = vld1q_dup_f32(p + N - 1);
  }
  SBNN_INLINE float operator[](int i) const { return i < kLoaded ? fours[i / 4][i % 4] : p[i]; }
  // A last one behind fours takes a register of its own.
  static constexpr int kLoaded = N > 4 && N % 4 == 1 ? N : N / 4 * 4;
  const float* p;
  float32x4_t fours[N / 4 + 1];
};
template <>
struct Scalars<2> {
  SBNN_INLINE explicit Scalars(const float* p) : two(vld1_f32(p)) { __asm__("" : "+w"(two)); }
  SBNN_INLINE float operator[](int i) const { return two[i]; }
  float32x2_t two;
};
SBNN_INLINE Vec Permute(Vec a, const int32_t* p, int first) {
  return {vreinterpretq_f32_u8(vqtbl1q_u8(vreinterpretq_u8_f32(a.v), BytesOf(p, first)))};
}
SBNN_INLINE float AddLanes(Vec a) { return vaddvq_f32(a.v); }

}  // namespace SBNN_ISA
}  // namespace sbnn
