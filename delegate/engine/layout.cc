#include "delegate/engine/layout.h"

#include <algorithm>

namespace sbnn {
namespace {

// Pixels of one task: some thousand floats.
int Tasks(const Images& i, size_t* pixels_per_task) {
  *pixels_per_task = std::max<size_t>(16, 16384 / i.c / 16 * 16);
  return static_cast<int>((i.pixels() + *pixels_per_task - 1) / *pixels_per_task);
}

}  // namespace

void FlatToPanel(const float* flat, const Tensor& panel, const Kernels& kernels, Team& team) {
  const Images i = panel.images();
  size_t step;
  const int tasks = Tasks(i, &step);
  team.Run(tasks * i.n, [&](int task, int) {
    const size_t n = task / tasks, first = task % tasks * step;
    const size_t c = i.c;
    kernels.transpose({flat + (n * i.pixels() + first) * c, c, panel.Plane(n, 0) + first,
                       panel.plane_stride, std::min(step, i.pixels() - first), c});
  });
}

void PanelToFlat(const Tensor& panel, float* flat, const Kernels& kernels, Team& team) {
  const Images i = panel.images();
  size_t step;
  const int tasks = Tasks(i, &step);
  team.Run(tasks * i.n, [&](int task, int) {
    const size_t n = task / tasks, first = task % tasks * step;
    const size_t c = i.c;
    kernels.transpose({panel.Plane(n, 0) + first, panel.plane_stride,
                       flat + (n * i.pixels() + first) * c, c, c,
                       std::min(step, i.pixels() - first)});
  });
}

}  // namespace sbnn
