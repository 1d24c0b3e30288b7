#include "delegate/engine/layout.h"

#include <algorithm>
#include <cstring>

#include "delegate/engine/flat_range.h"

namespace sbnn {
namespace {

constexpr int kQuad = 4;  // channels

// Calls fn(image, first pixel, pixels) from the team's threads, some thousand elements at a time.
template <typename Fn>
void ForEachStretch(const Images& i, Team& team, const Fn& fn) {
  const size_t step = std::max<size_t>(16, 16384 / i.c / 16 * 16);
  const int stretches = static_cast<int>((i.pixels() + step - 1) / step);
  team.Run(stretches * i.n, [&](int task, int) {
    const size_t first = task % stretches * step;
    fn(task / stretches, first, std::min(step, i.pixels() - first));
  });
}

// Pixels of `c` channels and of four of them.
void ToQuad(const int8_t* flat, size_t c, int8_t* quad, size_t pixels, size_t channels) {
  for (size_t p = 0; p < pixels; ++p) {
    for (size_t k = 0; k < kQuad; ++k) quad[p * kQuad + k] = k < channels ? flat[p * c + k] : 0;
  }
}
void FromQuad(const int8_t* quad, int8_t* flat, size_t c, size_t pixels, size_t channels) {
  for (size_t p = 0; p < pixels; ++p) {
    for (size_t k = 0; k < channels; ++k) flat[p * c + k] = quad[p * kQuad + k];
  }
}

// Calls fn(first channel, channels) for each quad of an image.
template <typename Fn>
void ForEachQuad(size_t channels, const Fn& fn) {
  for (size_t c = 0; c < channels; c += kQuad) fn(c, std::min<size_t>(kQuad, channels - c));
}

// A change of the highest bit makes int8 of uint8, and the way back.
void FlipSigns(int8_t* bytes, size_t count) {
  for (size_t i = 0; i < count; ++i) bytes[i] = static_cast<int8_t>(bytes[i] ^ -128);
}

}  // namespace

void TransposeBytes(const int8_t* x, size_t x_stride, int8_t* y, size_t y_stride, size_t rows,
                    size_t columns) {
  constexpr size_t kColumns = 16;  // at a time: so many rows of y stay in the L1 cache
  for (size_t first = 0; first < columns; first += kColumns) {
    const size_t end = std::min(columns, first + kColumns);
    for (size_t r = 0; r < rows; ++r) {
      for (size_t c = first; c < end; ++c) y[c * y_stride + r] = x[r * x_stride + c];
    }
  }
}

void FromFlat(const void* flat, const Tensor& t, const Kernels& kernels, Team& team) {
  const Images i = t.images();
  const size_t c = i.c;
  if (t.layout == Layout::kFlat) {
    std::memcpy(t.data, flat, ElementCount(t.shape) * BytesOf(t.type));
    return;
  }
  ForEachStretch(i, team, [&](int n, size_t first, size_t pixels) {
    const void* const from = Advance(flat, (n * i.pixels() + first) * c, t.type);
    if (IsFloat(t.type)) {
      kernels.transpose({from, c, t.At(n, 0, first), t.plane_stride, pixels, c});
    } else if (t.layout == Layout::kPanel) {
      TransposeBytes(static_cast<const int8_t*>(from), c, t.bytes(n, 0, first), t.plane_stride,
                     pixels, c);
    } else {
      ForEachQuad(c, [&](size_t channel, size_t channels) {
        ToQuad(static_cast<const int8_t*>(from) + channel, c,
               t.bytes(n, channel / kQuad, first * kQuad), pixels, channels);
      });
    }
  });
}

void ToFlat(const Tensor& t, void* flat, const Kernels& kernels, Team& team) {
  const Images i = t.images();
  const size_t c = i.c;
  if (t.layout == Layout::kFlat) {
    std::memcpy(flat, t.data, ElementCount(t.shape) * BytesOf(t.type));
    return;
  }
  ForEachStretch(i, team, [&](int n, size_t first, size_t pixels) {
    void* const to = Advance(flat, (n * i.pixels() + first) * c, t.type);
    if (IsFloat(t.type)) {
      kernels.transpose({t.At(n, 0, first), t.plane_stride, to, c, c, pixels});
    } else if (t.layout == Layout::kPanel) {
      TransposeBytes(t.bytes(n, 0, first), t.plane_stride, static_cast<int8_t*>(to), c, c, pixels);
    } else {
      ForEachQuad(c, [&](size_t channel, size_t channels) {
        FromQuad(t.bytes(n, channel / kQuad, first * kQuad), static_cast<int8_t*>(to) + channel, c,
                 pixels, channels);
      });
    }
  });
}

void FromOutside(const ConstTensorView& view, const Tensor& t, const Kernels& kernels, Team& team) {
  FromFlat(view.data, t, kernels, team);
  if (view.type != ElementType::kUint8) return;
  ForEachRange(t, team, [&](size_t first, size_t count) {
    FlipSigns(static_cast<int8_t*>(t.From(first)), count);
  });
}

void ToOutside(const Tensor& t, const TensorView& view, const Kernels& kernels, Team& team) {
  ToFlat(t, view.data, kernels, team);
  if (view.type == ElementType::kUint8) {
    FlipSigns(static_cast<int8_t*>(view.data), ElementCount(t.shape));
  }
}

}  // namespace sbnn
