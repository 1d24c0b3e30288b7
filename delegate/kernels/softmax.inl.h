// Softmax. Its polynomial needs floats.
#include "delegate/kernels/elementwise.inl.h"
#include "delegate/kernels/kernels.h"
#include "delegate/kernels/unary.inl.h"
#include "delegate/kernels/vec/vec.h"

namespace sbnn {
namespace SBNN_ISA {
namespace {

// N vectors of sets that lie side by side.
template <int N>
SBNN_INLINE void SoftmaxOfColumns(const SoftmaxArgs& a, size_t first) {
  constexpr int L = Vec::kLanes;
  const float* const x = AsElements(a.x) + first;
  float* const y = AsElements(a.y) + first;
  const Vec beta = Set(a.beta);
  Vec most[N], sum[N];
  for (int v = 0; v < N; ++v) {
    most[v] = Load(x + v * L);
    sum[v] = Set(0.0f);
  }
  for (size_t i = 1; i < a.count; ++i) {
    for (int v = 0; v < N; ++v) most[v] = Max(most[v], Load(x + i * a.x_stride + v * L));
  }
  for (size_t i = 0; i < a.count; ++i) {
    for (int v = 0; v < N; ++v) {
      const Vec e = Exp(Mul(beta, Sub(Load(x + i * a.x_stride + v * L), most[v])));
      Store(y + i * a.y_stride + v * L, e);
      sum[v] = Add(sum[v], e);
    }
  }
  for (int v = 0; v < N; ++v) sum[v] = Div(Set(1.0f), sum[v]);
  for (size_t i = 0; i < a.count; ++i) {
    float* const p = y + i * a.y_stride;
    for (int v = 0; v < N; ++v) Store(p + v * L, Mul(sum[v], Load(p + v * L)));
  }
}

void SoftmaxColumns(const SoftmaxArgs& a) {
  constexpr size_t L = Vec::kLanes;
  size_t first = 0;
  for (; first + L < a.sets; first += 2 * L) SoftmaxOfColumns<2>(a, first);
  if (first < a.sets) SoftmaxOfColumns<1>(a, first);
}

void SoftmaxRows(const SoftmaxArgs& a) {
  constexpr size_t L = Vec::kLanes;
  const size_t whole = a.count / L * L;
  const int left = static_cast<int>(a.count - whole);
  for (size_t set = 0; set < a.sets; ++set) {
    const float* const x = AsElements(a.x) + set * a.x_stride;
    float* const y = AsElements(a.y) + set * a.y_stride;
    float most = x[0];
    if (whole > 0) {
      Vec lanes = Load(x);
      for (size_t i = L; i < whole; i += L) lanes = Max(lanes, Load(x + i));
      float lane[L];
      Store(lane, lanes);
      for (float value : lane) most = value > most ? value : most;
    }
    for (size_t i = whole; i < a.count; ++i) most = x[i] > most ? x[i] : most;

    const Vec beta = Set(a.beta), shift = Set(most);
    const auto power = [&](Vec v) { return Exp(Mul(beta, Sub(v, shift))); };
    Vec sum = Set(0.0f);
    for (size_t i = 0; i < whole; i += L) {
      const Vec e = power(Load(x + i));
      Store(y + i, e);
      sum = Add(sum, e);
    }
    if (left > 0) {
      StoreFirst(y + whole, power(LoadFirst(x + whole, left)), left);
      sum = Add(sum, LoadFirst(y + whole, left));
    }
    const Vec scale = Set(1.0f / AddLanes(sum));
    ForEachVector(y, a.count, [&](size_t i, int n) { return Mul(scale, LoadSome(y + i, n)); });
  }
}

}  // namespace
}  // namespace SBNN_ISA
}  // namespace sbnn
