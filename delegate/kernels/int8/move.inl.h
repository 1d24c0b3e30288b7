// What only moves bytes: between layouts, and what a convolution reads into one order.
#include "delegate/kernels/int8/kernels.h"

namespace sbnn {
namespace int8 {
namespace SBNN_ISA {
namespace {

struct Element4 {
  uint8_t bytes[4];
};

// y[i] = x[2 i], and more behind them: kSlack allows for it.
template <typename E>
SBNN_INLINE void EverySecond(const E* x, int count, E* y) {
  for (int i = 0; i < count; ++i) y[i] = x[2 * i];
}
#if defined(__AVX2__)
SBNN_INLINE void EverySecond(const Element4* x, int count, Element4* y) {
  for (int i = 0; i < count; i += 8) {
    const __m256 low = _mm256_loadu_ps(reinterpret_cast<const float*>(x + 2 * i));
    const __m256 high = _mm256_loadu_ps(reinterpret_cast<const float*>(x + 2 * i + 8));
    const __m256i even = _mm256_castps_si256(_mm256_shuffle_ps(low, high, 0x88));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(y + i), _mm256_permute4x64_epi64(even, 0xd8));
  }
}
SBNN_INLINE void EverySecond(const uint8_t* x, int count, uint8_t* y) {
  const __m256i even = _mm256_set1_epi16(0xff);
  int i = 0;
  for (; i + 8 < count; i += 32) {
    const auto* const from = reinterpret_cast<const __m256i*>(x + 2 * i);
    const __m256i low = _mm256_and_si256(_mm256_loadu_si256(from), even);
    const __m256i high = _mm256_and_si256(_mm256_loadu_si256(from + 1), even);
    const __m256i both = _mm256_permute4x64_epi64(_mm256_packus_epi16(low, high), 0xd8);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(y + i), both);
  }
  if (i < count) {
    const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(x + 2 * i));
    const __m128i bytes = _mm_and_si128(v, _mm256_castsi256_si128(even));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(y + i), _mm_packus_epi16(bytes, bytes));
  }
}
#elif defined(SBNN_NEON)
SBNN_INLINE void EverySecond(const Element4* x, int count, Element4* y) {
  for (int i = 0; i < count; i += 4) {
    const uint32x4x2_t v = vld2q_u32(reinterpret_cast<const uint32_t*>(x + 2 * i));
    vst1q_u32(reinterpret_cast<uint32_t*>(y + i), v.val[0]);
  }
}
SBNN_INLINE void EverySecond(const uint8_t* x, int count, uint8_t* y) {
  for (int i = 0; i < count; i += 16) vst1q_u8(y + i, vld2q_u8(x + 2 * i).val[0]);
}
#endif

// An element is 1 or 4 bytes.
template <typename E>
void ShiftRows(const ShiftRowsArgs& args) {
  E fill;
  __builtin_memset(&fill, args.fill, sizeof(fill));
  // [begin, end): the elements that come from the row.
  const int stride = args.stride;
  int begin = args.shift >= 0 ? 0 : (-args.shift + stride - 1) / stride;
  int end = args.width <= args.shift ? 0 : (args.width - args.shift + stride - 1) / stride;
  if (end > args.length) end = args.length;
  if (begin > end) begin = end;
  const char* x = reinterpret_cast<const char*>(args.x);
  E* y = static_cast<E*>(args.y);
  // Rows that lie one behind the other are copied at once, as if one went on in the next.
  const bool dense = stride == 1 && args.width == args.length && args.rows > 0 &&
                     args.x_row_stride == args.length * sizeof(E);
  if (dense && end > begin) {
    const ptrdiff_t first = begin, last = static_cast<ptrdiff_t>(args.rows - 1) * args.length + end;
    __builtin_memcpy(y + first, x + (first + args.shift) * static_cast<ptrdiff_t>(sizeof(E)),
                     (last - first) * sizeof(E));
    for (int r = 0; r < args.rows; ++r, y += args.length) {
      for (int i = 0; i < begin; ++i) y[i] = fill;
      for (int i = end; i < args.length; ++i) y[i] = fill;
    }
    return;
  }
  for (int r = 0; r < args.rows; ++r, x += args.x_row_stride, y += args.length) {
    const E* const row = reinterpret_cast<const E*>(x);
    for (int i = 0; i < begin; ++i) y[i] = fill;
    if (stride == 1) {
      if (end > begin) {
        __builtin_memcpy(y + begin, row + begin + args.shift, (end - begin) * sizeof(E));
      }
    } else if (stride == 2) {
      if (begin < end) EverySecond(row + 2 * begin + args.shift, end - begin, y + begin);
    } else {
      for (int i = begin; i < end; ++i) y[i] = row[i * stride + args.shift];
    }
    for (int i = end; i < args.length; ++i) y[i] = fill;
  }
}

#if defined(__AVX2__)
// Gathers four pixels of a row at a time, as long as no byte behind the last pixel's is read.
class VectorGather {
 public:
  explicit VectorGather(const GatherArgs& args)
      : pixel_(static_cast<int>(args.pixel)), sources_(SideBySide(args.at) ? 1 : 4) {
    loaded_ = pixel_ > 12 ? 0 : 3 * pixel_ + 4 <= 16 ? 4 : 2;
    const bool together = sources_ == 1;
    for (int k = 0; k < sources_; ++k) {
      const bool there = args.at[k] >= 0;
      int8_t from[16];
      for (int i = 0; i < 16; ++i) {
        const bool mine = together ? args.at[i % 4] >= 0 : there && i % 4 == k;
        const int place = i / 4 * pixel_ + (together ? i % 4 : 0);
        from[i] = static_cast<int8_t>(mine && i / 4 < loaded_ ? place : -128);
      }
      pick_[k] = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
      at_[k] = there ? args.at[k] : 0;
    }
  }

  // Returns how many.
  SBNN_INLINE int Row(const int8_t* x, int count, int8_t* y) const {
    if (loaded_ == 4) return sources_ == 1 ? RowOf<4, 1>(x, count, y) : RowOf<4, 4>(x, count, y);
    if (loaded_ == 2) return sources_ == 1 ? RowOf<2, 1>(x, count, y) : RowOf<2, 4>(x, count, y);
    return 0;
  }

 private:
  // Whether those of the four that are there follow the first.
  static bool SideBySide(const int32_t (&at)[4]) {
    bool all = at[0] >= 0;
    for (int k = 1; k < 4; ++k) all = all && (at[k] < 0 || at[k] == at[0] + k);
    return all;
  }
  template <int kLoaded, int kSources>
  int RowOf(const int8_t* x, int count, int8_t* y) const {
    __m128i pick[kSources];
    for (int k = 0; k < kSources; ++k) pick[k] = pick_[k];
    // What is picked from sixteen bytes of each source.
    const auto picked = [&](const int8_t* p) {
      __m128i v = _mm_setzero_si128();
      for (int k = 0; k < kSources; ++k) {
        const auto* const from = reinterpret_cast<const __m128i*>(p + at_[k]);
        v = _mm_or_si128(v, _mm_shuffle_epi8(_mm_loadu_si128(from), pick[k]));
      }
      return v;
    };
    const ptrdiff_t pixel = pixel_;
    int i = 0;
    for (; (i + 4 - kLoaded) * pixel + 16 <= (count - 1) * pixel + 1; i += 4, x += 4 * pixel) {
      __m128i v = picked(x);
      if (kLoaded == 2) v = _mm_unpacklo_epi64(v, picked(x + 2 * pixel));
      _mm_storeu_si128(reinterpret_cast<__m128i*>(y + 4 * i), v);
    }
    return i;
  }

  const int pixel_, sources_;
  int loaded_;  // pixels at once
  __m128i pick_[4];
  int32_t at_[4];
};
#else
struct VectorGather {
  explicit VectorGather(const GatherArgs&) {}
  SBNN_INLINE int Row(const int8_t*, int, int8_t*) const { return 0; }
};
#endif

void Gather(const GatherArgs& args) {
  const int32_t* const at = args.at;
  const bool together =
      at[0] >= 0 && at[1] == at[0] + 1 && at[2] == at[0] + 2 && at[3] == at[0] + 3;
  const VectorGather vectors(args);
  int32_t from[4];
  uint32_t kept = 0;  // bits of the bytes that are there
  for (int k = 0; k < 4; ++k) {
    from[k] = at[k] < 0 ? 0 : at[k];
    kept |= at[k] < 0 ? 0u : 0xffu << (8 * k);
  }
  const int8_t* x = args.x;
  int8_t* y = args.y;
  for (int r = 0; r < args.rows; ++r, x += args.x_row, y += 4 * args.count) {
    int i = vectors.Row(x, args.count, y);
    if (together) {
      for (; i < args.count; ++i) __builtin_memcpy(y + 4 * i, x + i * args.pixel + at[0], 4);
    }
    for (; i < args.count; ++i) {
      uint32_t four = 0;
#pragma GCC unroll 4
      for (int k = 0; k < 4; ++k) {
        const auto byte = static_cast<uint8_t>(x[i * args.pixel + from[k]]);
        four |= static_cast<uint32_t>(byte) << (8 * k);
      }
      four &= kept;
      __builtin_memcpy(y + 4 * i, &four, 4);
    }
  }
}

// So many pixels at a time that what is written by quads stays in the nearest cache.
constexpr size_t kPixels = 64;

// Calls fn(quad, channels of it, first pixel, end pixel) for all.
template <typename Fn>
SBNN_INLINE void ForEachBlock(const RelayoutArgs& args, const Fn& fn) {
  const size_t step = args.channels > 4 ? kPixels : args.pixels;
  for (size_t first = 0; first < args.pixels; first += step) {
    const size_t end = first + step < args.pixels ? first + step : args.pixels;
    for (int c = 0; c < args.channels; c += 4) {
      fn(c / 4, args.channels - c < 4 ? args.channels - c : 4, first, end);
    }
  }
}

void FlatToQuads(const RelayoutArgs& args) {
  ForEachBlock(args, [&args](int quad, int channels, size_t first, size_t end) {
    const int8_t* x = args.x + first * args.x_stride + 4 * quad;
    int8_t* y = args.y + quad * args.y_stride + 4 * first;
    if (channels == 4) {
      for (size_t i = first; i < end; ++i, x += args.x_stride, y += 4) __builtin_memcpy(y, x, 4);
      return;
    }
    GatherArgs pixels;
    pixels.x = x;
    pixels.x_row = 0;
    pixels.pixel = args.x_stride;
    for (int c = 0; c < 4; ++c) pixels.at[c] = c < channels ? c : -1;
    pixels.rows = 1;
    pixels.count = static_cast<int>(end - first);
    pixels.y = y;
    Gather(pixels);
  });
}

void QuadsToFlat(const RelayoutArgs& args) {
  ForEachBlock(args, [&args](int quad, int channels, size_t first, size_t end) {
    const int8_t* x = args.x + quad * args.x_stride + 4 * first;
    int8_t* y = args.y + first * args.y_stride + 4 * quad;
    if (channels == 4) {
      for (size_t i = first; i < end; ++i, x += 4, y += args.y_stride) __builtin_memcpy(y, x, 4);
      return;
    }
    for (size_t i = first; i < end; ++i, x += 4, y += args.y_stride) {
      for (int c = 0; c < channels; ++c) y[c] = x[c];
    }
  });
}

void FlatToPanel(const RelayoutArgs& args) {
  if (args.channels == 1 && args.x_stride == 1) {
    __builtin_memcpy(args.y, args.x, args.pixels);
    return;
  }
  ForEachBlock(args, [&args](int quad, int channels, size_t first, size_t end) {
    for (int c = 4 * quad; c < 4 * quad + channels; ++c) {
      for (size_t i = first; i < end; ++i) {
        args.y[c * args.y_stride + i] = args.x[i * args.x_stride + c];
      }
    }
  });
}

void PanelToFlat(const RelayoutArgs& args) {
  if (args.channels == 1 && args.y_stride == 1) {
    __builtin_memcpy(args.y, args.x, args.pixels);
    return;
  }
  ForEachBlock(args, [&args](int quad, int channels, size_t first, size_t end) {
    for (size_t i = first; i < end; ++i) {
      for (int c = 4 * quad; c < 4 * quad + channels; ++c) {
        args.y[i * args.y_stride + c] = args.x[c * args.x_stride + i];
      }
    }
  });
}

void QuadsToPanel(const RelayoutArgs& args) {
  ForEachBlock(args, [&args](int quad, int channels, size_t first, size_t end) {
    for (int c = 0; c < channels; ++c) {
      const int8_t* const x = args.x + quad * args.x_stride + c;
      int8_t* const y = args.y + (4 * quad + c) * args.y_stride;
      for (size_t i = first; i < end; ++i) y[i] = x[4 * i];
    }
  });
}

void PanelToQuads(const RelayoutArgs& args) {
  ForEachBlock(args, [&args](int quad, int channels, size_t first, size_t end) {
    GatherArgs planes;
    planes.x = args.x + 4 * quad * args.x_stride + first;
    planes.x_row = 0;
    planes.pixel = 1;
    for (int c = 0; c < 4; ++c) {
      planes.at[c] = c < channels ? c * static_cast<int32_t>(args.x_stride) : -1;
    }
    planes.rows = 1;
    planes.count = static_cast<int>(end - first);
    planes.y = args.y + quad * args.y_stride + 4 * first;
    Gather(planes);
  });
}

}  // namespace
}  // namespace SBNN_ISA
}  // namespace int8
}  // namespace sbnn
