// What NEON of 32 bits has to do another way than NEON of 64.
namespace sbnn {
namespace SBNN_ISA {

SBNN_INLINE Vec Div(Vec a, Vec b) { return {a.v / b.v}; }  // one by one
// The compiler makes single numbers of vectors here, since NEON's arithmetic flushes denormals.
template <int N>
SBNN_INLINE void AddScaled(const float* w, float x, typename Elements<N>::Type* sum) {
  const auto& weights = *reinterpret_cast<const typename Elements<N>::Unaligned*>(w);
  if constexpr (N % 4 == 0) {
    float32x4_t parts[N / 4];
    __builtin_memcpy(parts, sum, sizeof(parts));
    for (int i = 0; i < N / 4; ++i) parts[i] = vmlaq_n_f32(parts[i], vld1q_f32(w + 4 * i), x);
    __builtin_memcpy(sum, parts, sizeof(parts));
  } else {
    *sum += weights * x;
  }
}
SBNN_INLINE void AddProducts(const float* w, Four x, Four* sum) {
  *sum = reinterpret_cast<Four>(vfmaq_f32(reinterpret_cast<float32x4_t>(*sum), vld1q_f32(w),
                                          reinterpret_cast<float32x4_t>(x)));
}
// A multiplication by one lane is never fused with the addition here: it rounds twice.
SBNN_INLINE Vec FmaScalar(Vec a, float b, Vec c) { return {vmlaq_n_f32(c.v, a.v, b)}; }
struct Lane {
  float32x4_t v;
  int i;
};
SBNN_INLINE Vec FmaScalar(Vec a, Lane b, Vec c) {
  switch (b.i) {
    case 0:
      return {vmlaq_lane_f32(c.v, a.v, vget_low_f32(b.v), 0)};
    case 1:
      return {vmlaq_lane_f32(c.v, a.v, vget_low_f32(b.v), 1)};
    case 2:
      return {vmlaq_lane_f32(c.v, a.v, vget_high_f32(b.v), 0)};
    default:
      return {vmlaq_lane_f32(c.v, a.v, vget_high_f32(b.v), 1)};
  }
}
template <int N>
struct Scalars {
  SBNN_INLINE explicit Scalars(const float* p) : p(p) {}
  SBNN_INLINE float operator[](int i) const { return p[i]; }
  const float* p;
};
template <>
struct Scalars<4> {
  SBNN_INLINE explicit Scalars(const float* p) : v(vld1q_f32(p)) {}
  SBNN_INLINE Lane operator[](int i) const { return {v, i}; }
  float32x4_t v;
};
template <>
struct Scalars<8> {
  SBNN_INLINE explicit Scalars(const float* p) : low(vld1q_f32(p)), high(vld1q_f32(p + 4)) {}
  SBNN_INLINE Lane operator[](int i) const { return i < 4 ? Lane{low, i} : Lane{high, i - 4}; }
  float32x4_t low, high;
};
SBNN_INLINE Vec Permute(Vec a, const int32_t* p, int first) {
  const uint8x16_t from = vreinterpretq_u8_f32(a.v), bytes = BytesOf(p, first);
  const uint8x8x2_t table = {{vget_low_u8(from), vget_high_u8(from)}};
  return {vreinterpretq_f32_u8(
      vcombine_u8(vtbl2_u8(table, vget_low_u8(bytes)), vtbl2_u8(table, vget_high_u8(bytes))))};
}
SBNN_INLINE float AddLanes(Vec a) {
  const float32x2_t pairs = vadd_f32(vget_low_f32(a.v), vget_high_f32(a.v));
  return vget_lane_f32(vpadd_f32(pairs, pairs), 0);
}

}  // namespace SBNN_ISA
}  // namespace sbnn
