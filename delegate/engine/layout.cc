#include "delegate/engine/layout.h"

#include <algorithm>

namespace sbnn {
namespace {

// Calls fn(image, first pixel, pixels) from the team's threads, some thousand floats at a time.
template <typename Fn>
void ForEachStretch(const Images& i, Team& team, const Fn& fn) {
  const size_t step = std::max<size_t>(16, 16384 / i.c / 16 * 16);
  const int stretches = static_cast<int>((i.pixels() + step - 1) / step);
  team.Run(stretches * i.n, [&](int task, int) {
    const size_t first = task % stretches * step;
    fn(task / stretches, first, std::min(step, i.pixels() - first));
  });
}

}  // namespace

void FlatToPanel(const float* flat, const Tensor& panel, const Kernels& kernels, Team& team) {
  const Images i = panel.images();
  const size_t c = i.c;
  ForEachStretch(i, team, [&](int n, size_t first, size_t pixels) {
    kernels.transpose({flat + (n * i.pixels() + first) * c, c, panel.Plane(n, 0) + first,
                       panel.plane_stride, pixels, c});
  });
}

void PanelToFlat(const Tensor& panel, float* flat, const Kernels& kernels, Team& team) {
  const Images i = panel.images();
  const size_t c = i.c;
  ForEachStretch(i, team, [&](int n, size_t first, size_t pixels) {
    kernels.transpose({panel.Plane(n, 0) + first, panel.plane_stride,
                       flat + (n * i.pixels() + first) * c, c, c, pixels});
  });
}

}  // namespace sbnn
