#include "delegate/engine/layout.h"

#include <algorithm>
#include <cstring>

#include "delegate/engine/flat_range.h"
#include "delegate/kernels/int8/table.h"

namespace sbnn {
namespace {

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

// An image of int8 in some layout.
struct Bytes {
  Layout layout;
  int8_t* data;
  size_t stride;  // between pixels, planes or quads
  size_t image_stride;

  explicit Bytes(const Tensor& t)
      : layout(t.layout),
        data(static_cast<int8_t*>(t.data)),
        stride(layout == Layout::kFlat ? t.images().c : t.plane_stride),
        image_stride(t.image_stride) {}
  Bytes(const void* flat, const Images& i)
      : layout(Layout::kFlat),
        data(static_cast<int8_t*>(const_cast<void*>(flat))),
        stride(i.c),
        image_stride(i.pixels() * i.c) {}

  int8_t* At(int n, size_t pixel) const {
    const size_t bytes = layout == Layout::kFlat ? stride : layout == Layout::kQuads ? 4 : 1;
    return data + n * image_stride + pixel * bytes;
  }
};

int8::RelayoutFn KernelOf(const int8::Kernels& k, Layout from, Layout to) {
  switch (from) {
    case Layout::kFlat:
      return to == Layout::kPanel ? k.flat_to_panel : k.flat_to_quads;
    case Layout::kPanel:
      return to == Layout::kFlat ? k.panel_to_flat : k.panel_to_quads;
    default:
      return to == Layout::kFlat ? k.quads_to_flat : k.quads_to_panel;
  }
}

// `from` and `to` differ in their layout.
void MoveBytes(const Bytes& from, const Bytes& to, const Images& i, const Kernels& kernels,
               Team& team) {
  const int8::RelayoutFn move = KernelOf(*int8::KernelsOf(kernels.isa), from.layout, to.layout);
  ForEachStretch(i, team, [&](int n, size_t first, size_t pixels) {
    move({from.At(n, first), from.stride, to.At(n, first), to.stride, pixels, i.c});
  });
}

// A change of the highest bit makes int8 of uint8, and the way back.
void FlipSigns(int8_t* bytes, size_t count) {
  for (size_t i = 0; i < count; ++i) bytes[i] = static_cast<int8_t>(bytes[i] ^ -128);
}

}  // namespace

void FromFlat(const void* flat, const Tensor& t, const Kernels& kernels, Team& team) {
  const Images i = t.images();
  const size_t c = i.c;
  if (t.layout == Layout::kFlat) {
    std::memcpy(t.data, flat, ElementCount(t.shape) * BytesOf(t.type));
  } else if (t.type == ElementType::kInt8) {
    MoveBytes(Bytes(flat, i), Bytes(t), i, kernels, team);
  } else {
    ForEachStretch(i, team, [&](int n, size_t first, size_t pixels) {
      const void* const from = Advance(flat, (n * i.pixels() + first) * c, t.type);
      kernels.transpose({from, c, t.At(n, 0, first), t.plane_stride, pixels, c});
    });
  }
}

void ToFlat(const Tensor& t, void* flat, const Kernels& kernels, Team& team) {
  const Images i = t.images();
  const size_t c = i.c;
  if (t.layout == Layout::kFlat) {
    std::memcpy(flat, t.data, ElementCount(t.shape) * BytesOf(t.type));
  } else if (t.type == ElementType::kInt8) {
    MoveBytes(Bytes(t), Bytes(flat, i), i, kernels, team);
  } else {
    ForEachStretch(i, team, [&](int n, size_t first, size_t pixels) {
      void* const to = Advance(flat, (n * i.pixels() + first) * c, t.type);
      kernels.transpose({t.At(n, 0, first), t.plane_stride, to, c, c, pixels});
    });
  }
}

void ChangeLayout(const Tensor& from, const Tensor& to, const Kernels& kernels, Team& team) {
  if (from.layout == to.layout) {
    std::memcpy(to.data, from.data, from.image_stride * from.images().n);
  } else {
    MoveBytes(Bytes(from), Bytes(to), from.images(), kernels, team);
  }
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
