// Sparse matrix without structure x panel. Outputs are taken two at a time (PackedWeights: pairs),
// so that where both have a weight, the pixels are loaded once. The inputs come in blocks whose
// part of a tile stays in the L1 cache: without that each load is from the L2 cache, at half the
// rate of the FMAs. Within a block the load ports are the limit, not the FMAs: every load counts.
#include "delegate/format/packed_weights.h"
#include "delegate/kernels/kernels.h"
#include "delegate/kernels/vec/vec.h"

namespace sbnn {
namespace SBNN_ISA {
namespace {

// Two offsets in a row, with one load. (Byte order: little-endian, as all of these machines are.)
struct TwoOffsets {
  SBNN_INLINE explicit TwoOffsets(const int32_t* p) {
    uint64_t both;
    __builtin_memcpy(&both, p, sizeof(both));
    __asm__("" : "+r"(both));
    first = static_cast<int32_t>(both);
    second = static_cast<int32_t>(both >> 32);
  }
  int32_t first, second;
};

// As AddColumnsAhead, for cores that issue in order: the next step's pixels are loaded between the
// FMAs of this one. Without that each FMA waits for its load, at twice the time on a Cortex-A55.
constexpr bool kLoadAhead = !kMemoryOperands && kRegisters == 32;

// N columns a step (1: both outputs have it; 2: each has one).
template <int N, int P>
SBNN_INLINE void AddStepsAhead(const char* x, const int32_t* offset, const Element* w, int steps,
                               Vec (&acc)[2][P]) {
  if (__builtin_expect(steps == 0, false)) return;
  const auto pixels = [&](int n) {
    return reinterpret_cast<const Element*>(x + offset[n < N ? n : 0]);
  };
  Vec v[N][P];
#pragma GCC unroll 2
  for (int n = 0; n < N; ++n) {
#pragma GCC unroll 16
    for (int j = 0; j < P; ++j) v[n][j] = Load(pixels(n) + j * Vec::kLanes);
  }
  Scalars<2> weights(w);
  while (--steps > 0) {
    offset += N;
    w += 2;
    const Element* const next[2] = {pixels(0), pixels(1)};
    __builtin_prefetch(w + kAhead);
#pragma GCC unroll 16
    for (int j = 0; j < P; ++j) {
#pragma GCC unroll 2
      for (int i = 0; i < 2; ++i) acc[i][j] = FmaScalar(v[i % N][j], weights[i], acc[i][j]);
#pragma GCC unroll 2
      for (int n = 0; n < N; ++n) v[n][j] = Load(next[n] + j * Vec::kLanes);
    }
    weights = Scalars<2>(w);
  }
#pragma GCC unroll 16
  for (int j = 0; j < P; ++j) {
#pragma GCC unroll 2
    for (int i = 0; i < 2; ++i) acc[i][j] = FmaScalar(v[i % N][j], weights[i], acc[i][j]);
  }
}

// P vectors of pixels of two outputs, and if T > 0 four single ones behind them, T of which count.
template <int P, int T>
void SpmmUnstructured(const SpmmArgs& args) {
  constexpr int kTail = P * Vec::kLanes;
  const Vec lo = Set(args.lo), hi = Set(args.hi);
  const char* const x = static_cast<const char*>(args.x);
  // Copies: for all the compiler knows, what is stored may change the arguments.
  Element* const first_y = AsElements(args.y);
  const Element* const first_add = AsElements(args.add);
  const Element* const biases = AsElements(args.bias);
  const size_t y_stride = args.y_stride;
  const int32_t* offset = args.offset_bytes;
  const Element* w = AsElements(args.weights);
  const OutputPair* const end = args.pairs + args.end_group;
  for (const OutputPair* pair = args.pairs + args.first_group; pair != end; ++pair) {
    Vec acc[2][P];
    Four tail[2];
#pragma GCC unroll 2
    for (int i = 0; i < 2; ++i) {
      const Vec bias = Set(biases == nullptr ? Element{0} : biases[pair->output[i]]);
      tail[i] = FirstFour(bias);
      if (first_add == nullptr) {
#pragma GCC unroll 16
        for (int j = 0; j < P; ++j) acc[i][j] = bias;
      } else {
        const Element* const add = first_add + pair->output[i] * y_stride;
#pragma GCC unroll 16
        for (int j = 0; j < P; ++j) acc[i][j] = Add(bias, Load(add + j * Vec::kLanes));
        if constexpr (T == 1) tail[i] += FirstFour(Set(add[kTail]));
        if constexpr (T == 4) tail[i] += *reinterpret_cast<const UnalignedFour*>(add + kTail);
      }
    }
    if constexpr (kLoadAhead) {
      static_assert(T == 0);
      AddStepsAhead<1>(x, offset, w, pair->both, acc);
      offset += pair->both;
      w += 2 * pair->both;
      AddStepsAhead<2>(x, offset, w, pair->one, acc);
      offset += 2 * pair->one;
      w += 2 * pair->one;
    } else {
      for (int step = pair->both; step > 0; --step, ++offset, w += 2) {
        __builtin_prefetch(w + kAhead);
        const Element* const pixels = reinterpret_cast<const Element*>(x + *offset);
        const Scalars<2> weights(w);
#pragma GCC unroll 16
        for (int j = 0; j < P; ++j) {
          const Vec v = Keep(Load(pixels + j * Vec::kLanes));
#pragma GCC unroll 2
          for (int i = 0; i < 2; ++i) acc[i][j] = FmaScalar(v, weights[i], acc[i][j]);
        }
        if constexpr (T > 0) {
          const Four v = *reinterpret_cast<const UnalignedFour*>(pixels + kTail);
#pragma GCC unroll 2
          for (int i = 0; i < 2; ++i) tail[i] += v * FirstFour(Set(weights[i]));
        }
      }
      for (int step = pair->one; step > 0; --step, offset += 2, w += 2) {
        __builtin_prefetch(w + kAhead);
        const TwoOffsets at(offset);
        const Element* const pixels[2] = {reinterpret_cast<const Element*>(x + at.first),
                                          reinterpret_cast<const Element*>(x + at.second)};
        const TwoSets weights(w);
#pragma GCC unroll 16
        for (int j = 0; j < P; ++j) {
#pragma GCC unroll 2
          for (int i = 0; i < 2; ++i) {
            acc[i][j] = Fma(Load(pixels[i] + j * Vec::kLanes), weights.of[i], acc[i][j]);
          }
        }
        if constexpr (T > 0) {
#pragma GCC unroll 2
          for (int i = 0; i < 2; ++i) {
            const Four v = *reinterpret_cast<const UnalignedFour*>(pixels[i] + kTail);
            tail[i] += v * FirstFour(weights.of[i]);
          }
        }
      }
    }
#pragma GCC unroll 2
    for (int i = 0; i < 2; ++i) {
      Element* const y = first_y + pair->output[i] * y_stride;
#pragma GCC unroll 16
      for (int j = 0; j < P; ++j) Store(y + j * Vec::kLanes, Min(hi, Max(lo, acc[i][j])));
      if constexpr (T > 0) {
        // NaN stays NaN.
        tail[i] = tail[i] < FirstFour(lo) ? FirstFour(lo) : tail[i];
        tail[i] = tail[i] > FirstFour(hi) ? FirstFour(hi) : tail[i];
        if constexpr (T == 1) y[kTail] = tail[i][0];
        if constexpr (T == 4) *reinterpret_cast<UnalignedFour*>(y + kTail) = tail[i];
      }
    }
  }
}

// One pixel. Outputs may lie side by side here, where vectors of pixels would lie over each other.
void SpmmUnstructuredPixel(const SpmmArgs& args) {
  const char* const x = static_cast<const char*>(args.x);
  Element* const y = AsElements(args.y);
  const Element* const add = AsElements(args.add);
  const Element* const biases = AsElements(args.bias);
  const int32_t* offset = args.offset_bytes;
  const Element* w = AsElements(args.weights);
  for (uint32_t p = args.first_group; p < args.end_group; ++p) {
    const OutputPair& pair = args.pairs[p];
    float sum[2];
    for (int i = 0; i < 2; ++i) {
      sum[i] = biases == nullptr ? 0.0f : static_cast<float>(biases[pair.output[i]]);
      if (add != nullptr) sum[i] += static_cast<float>(add[pair.output[i] * args.y_stride]);
    }
    const auto step = [&](int i) {
      const Element pixel = *reinterpret_cast<const Element*>(x + *offset);
      sum[i] += static_cast<float>(*w++) * static_cast<float>(pixel);
    };
    for (int n = pair.both; n > 0; --n, ++offset) {
      step(0);
      step(1);
    }
    for (int n = pair.one; n > 0; --n) {
      step(0);
      ++offset;
      step(1);
      ++offset;
    }
    for (int i = 0; i < 2; ++i) {
      y[pair.output[i] * args.y_stride] = static_cast<Element>(ClampOne(sum[i], args.lo, args.hi));
    }
  }
}

}  // namespace
}  // namespace SBNN_ISA
}  // namespace sbnn
