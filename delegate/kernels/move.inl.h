// Kernels that move or reduce: padding rows, changing layout, summing; and the loop that measures
// the FMA peak.
#include "delegate/kernels/kernels.h"
#include "delegate/kernels/vec/vec.h"

namespace sbnn {
namespace SBNN_ISA {
namespace {

// Of PadRow: vectors of pixels from stride 1 or 2, read by load(first pixel); those below `end`.
// Returns the first pixel that is left.
template <typename LoadFn>
SBNN_INLINE int PadVectors(const PadRowArgs& a, int end, const LoadFn& load) {
  constexpr int L = Vec::kLanes;
  const int columns = a.length * a.stride;
  int i = 0;
  Element* const y = AsElements(a.y);
  if (a.stride == 1) {
    for (; i < end && a.pad + i < columns; i += L) Store(y + a.pad + i, load(i));
    return i;
  }
  Element* even = y + (a.pad & 1) * a.phase_stride + (a.pad >> 1);
  Element* odd = y + ((a.pad + 1) & 1) * a.phase_stride + ((a.pad + 1) >> 1);
  for (; i < end && a.pad + i < columns; i += 2 * L) {
    Vec e, o;
    Deinterleave(load(i), load(i + L), &e, &o);
    Store(even + i / 2, e);
    Store(odd + i / 2, o);
  }
  return i;
}

void PadRow(const PadRowArgs& a) {
  constexpr int L = Vec::kLanes;
  const Element* const source = AsElements(a.x);
  const int end =
      a.x == nullptr ? a.pad : a.pad + a.width;  // padded columns [pad, end) have a source
  int done = a.x == nullptr ? a.width : 0;       // source pixels
  if (done < a.width && a.stride <= 2) {
    if (a.x_stride == 1) {
      PadVectors(a, a.width, [&](int i) { return Load(source + i); });
      done = a.width;
    } else if (a.x_stride == 3) {
      // Three channels in the caller's memory, of which nothing behind the row's end is read.
      const int end = a.width - a.stride * L + (Vec::kExactThirds ? 1 : 0);
      done = PadVectors(a, end, [&](int i) { return LoadThirds(source + 3 * i); });
    }
  }
  for (int phase = 0; done < a.width && phase < a.stride; ++phase) {
    // Positions whose column position * stride + phase - pad lies in the source.
    const int begin = a.pad + done;
    const int first = phase >= begin ? 0 : (begin - phase + a.stride - 1) / a.stride;
    int last = (end - phase + a.stride - 1) / a.stride;
    last = last < a.length ? last : a.length;
    const size_t step = a.stride * a.x_stride;
    if (first >= last) continue;
    const Element* x = source + static_cast<size_t>(first * a.stride + phase - a.pad) * a.x_stride;
    Element* const y = AsElements(a.y) + phase * a.phase_stride;
    for (int j = first; j < last; ++j, x += step) y[j] = *x;
  }
  // The filling last: the vectors above may have spilt over the end of the row.
  for (int phase = 0; phase < a.stride; ++phase) {
    Element* const y = AsElements(a.y) + phase * a.phase_stride;
    for (int j = 0; j < a.length && j * a.stride + phase < a.pad; ++j) y[j] = a.fill;
    const int after = end <= phase ? 0 : (end - phase + a.stride - 1) / a.stride;
    for (int j = after; j < a.length; ++j) y[j] = a.fill;
  }
}

// Pixels one by one: any stride.
void ShiftRowsSlowly(const ShiftRowsArgs& a) {
  // Positions [begin, end) have a source.
  int begin = a.shift >= 0 ? 0 : (-a.shift + a.stride - 1) / a.stride;
  begin = begin < a.length ? begin : a.length;
  int end = a.shift >= a.width ? 0 : (a.width - a.shift + a.stride - 1) / a.stride;
  end = end < begin ? begin : end < a.length ? end : a.length;
  const size_t step = a.stride * a.x_stride;
  for (int r = 0; r < a.rows; ++r) {
    Element* const y = AsElements(a.y) + static_cast<size_t>(r) * a.length;
    for (int i = 0; i < begin; ++i) y[i] = 0;
    if (begin < end) {
      const Element* x =
          AsElements(a.x) + r * a.x_row_stride + (begin * a.stride + a.shift) * a.x_stride;
      for (int i = begin; i < end; ++i, x += step) y[i] = *x;
    }
    for (int i = end; i < a.length; ++i) y[i] = 0;
  }
}

void ShiftRows(const ShiftRowsArgs& a) {
  constexpr int L = Vec::kLanes;
  if (a.x_stride != 1 || a.stride > 2) return ShiftRowsSlowly(a);
  // From the last vector of all rows to the first: what spills over the end of a row is made good
  // by the first vector of the next.
  for (int i = (a.length - 1) / L * L; i >= 0; i -= L) {
    const int from = i * a.stride + a.shift;  // source of the first lane
    const Element* x = AsElements(a.x) + from;
    Element* y = AsElements(a.y) + i;
    // A vector without a source must not be read: it may be far from the row.
    const bool low = from < a.width && from > -L, high = from + L < a.width && from > -2 * L;
    const Mask low_mask = MaskOf(-from, a.width - from);
    const Mask high_mask = MaskOf(-from - L, a.width - from - L);
    for (int r = 0; r < a.rows; ++r, x += a.x_row_stride, y += a.length) {
      Vec v = low ? LoadMasked(x, low_mask) : Set(0);
      if (a.stride == 2) {
        const Vec w = high ? LoadMasked(x + L, high_mask) : Set(0);
        Vec odd;
        Deinterleave(v, w, &v, &odd);
      }
      Store(y, v);
    }
  }
}

float Sum(const void* elements, size_t count) {
  const Element* const x = AsElements(elements);
  constexpr size_t L = Vec::kLanes;
  WideVec a = Widen(Set(0)), b = a;
  size_t i = 0;
  for (; i + 2 * L <= count; i += 2 * L) {
    a = Add(a, Widen(Load(x + i)));
    b = Add(b, Widen(Load(x + i + L)));
  }
  for (; i + L <= count; i += L) a = Add(a, Widen(Load(x + i)));
  if (i < count) b = Add(b, Widen(LoadFirst(x + i, static_cast<int>(count - i))));
  return AddLanes(Add(a, b));
}

// A block of 4 x 4.
SBNN_INLINE void TransposeFours(const Element* x, size_t x_stride, Element* y, size_t y_stride) {
  Four row[4];
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) row[i] = *reinterpret_cast<const UnalignedFour*>(x + i * x_stride);
  const Four low01 = __builtin_shufflevector(row[0], row[1], 0, 4, 1, 5);
  const Four high01 = __builtin_shufflevector(row[0], row[1], 2, 6, 3, 7);
  const Four low23 = __builtin_shufflevector(row[2], row[3], 0, 4, 1, 5);
  const Four high23 = __builtin_shufflevector(row[2], row[3], 2, 6, 3, 7);
  row[0] = __builtin_shufflevector(low01, low23, 0, 1, 4, 5);
  row[1] = __builtin_shufflevector(low01, low23, 2, 3, 6, 7);
  row[2] = __builtin_shufflevector(high01, high23, 0, 1, 4, 5);
  row[3] = __builtin_shufflevector(high01, high23, 2, 3, 6, 7);
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) *reinterpret_cast<UnalignedFour*>(y + i * y_stride) = row[i];
}

// Two rows to pairs, x[0][i] and x[1][i]; returns how many pairs it made.
SBNN_INLINE size_t MakePairs(const Element* x, size_t x_stride, Element* y, size_t count) {
  size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    const Four a = *reinterpret_cast<const UnalignedFour*>(x + i);
    const Four b = *reinterpret_cast<const UnalignedFour*>(x + x_stride + i);
    *reinterpret_cast<UnalignedFour*>(y + 2 * i) = __builtin_shufflevector(a, b, 0, 4, 1, 5);
    *reinterpret_cast<UnalignedFour*>(y + 2 * i + 4) = __builtin_shufflevector(a, b, 2, 6, 3, 7);
  }
  return i;
}

// Pairs to two rows; returns how many pairs it took.
SBNN_INLINE size_t PartPairs(const Element* x, Element* y, size_t y_stride, size_t count) {
  size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    const Four low = *reinterpret_cast<const UnalignedFour*>(x + 2 * i);
    const Four high = *reinterpret_cast<const UnalignedFour*>(x + 2 * i + 4);
    *reinterpret_cast<UnalignedFour*>(y + i) = __builtin_shufflevector(low, high, 0, 2, 4, 6);
    *reinterpret_cast<UnalignedFour*>(y + y_stride + i) =
        __builtin_shufflevector(low, high, 1, 3, 5, 7);
  }
  return i;
}

void Transpose(const TransposeArgs& a) {
  const Element* const x = AsElements(a.x);
  Element* const y = AsElements(a.y);
  if ((a.rows == 1 && a.y_stride == 1) || (a.columns == 1 && a.x_stride == 1)) {
    __builtin_memcpy(y, x, a.rows * a.columns * sizeof(Element));
    return;
  }
  if (a.rows == 2 && a.y_stride == 2) {
    for (size_t c = MakePairs(x, a.x_stride, y, a.columns); c < a.columns; ++c) {
      y[2 * c] = x[c];
      y[2 * c + 1] = x[a.x_stride + c];
    }
    return;
  }
  if (a.columns == 2 && a.x_stride == 2) {
    for (size_t r = PartPairs(x, y, a.y_stride, a.rows); r < a.rows; ++r) {
      y[r] = x[2 * r];
      y[a.y_stride + r] = x[2 * r + 1];
    }
    return;
  }
  constexpr size_t kBlock = 16;  // a cache line of floats either way
  for (size_t r0 = 0; r0 < a.rows; r0 += kBlock) {
    const size_t r1 = r0 + kBlock < a.rows ? r0 + kBlock : a.rows;
    for (size_t c0 = 0; c0 < a.columns; c0 += kBlock) {
      const size_t c1 = c0 + kBlock < a.columns ? c0 + kBlock : a.columns;
      const size_t r_fours = r0 + (r1 - r0) / 4 * 4, c_fours = c0 + (c1 - c0) / 4 * 4;
      for (size_t c = c0; c < c_fours; c += 4) {
        for (size_t r = r0; r < r_fours; r += 4) {
          TransposeFours(x + r * a.x_stride + c, a.x_stride, y + c * a.y_stride + r, a.y_stride);
        }
      }
      for (size_t c = c0; c < c1; ++c) {
        for (size_t r = c < c_fours ? r_fours : r0; r < r1; ++r) {
          y[c * a.y_stride + r] = x[r * a.x_stride + c];
        }
      }
    }
  }
}

double FmaLoop(size_t steps, float* sink) {
  constexpr int kChains = 12;  // latency times throughput of every core that we know
  Vec acc[kChains];
  const Vec scale = Set(sink[0]), shift = Set(sink[1]);
#pragma GCC unroll 12
  for (int i = 0; i < kChains; ++i) acc[i] = Set(static_cast<float>(i));
  for (size_t s = 0; s < steps; ++s) {
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) acc[i] = Fma(acc[i], scale, shift);
  }
  Vec total = acc[0];
  for (int i = 1; i < kChains; ++i) total = Add(total, acc[i]);
  sink[0] = AddLanes(total);
  return 2.0 * kChains * Vec::kLanes * static_cast<double>(steps);
}

}  // namespace
}  // namespace SBNN_ISA
}  // namespace sbnn
