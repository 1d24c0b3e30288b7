#include "delegate/engine/ops/matrix.h"

#include <algorithm>

namespace sbnn {
namespace {

// Tasks a thread should get, so that unequal cores finish together.
constexpr int kTasksPerThread = 4;

std::vector<uint32_t> SplitGroups(const PackedWeights& w, int chunks) {
  std::vector<uint32_t> begin = {0};
  const uint32_t groups = static_cast<uint32_t>(w.groups());
  // A group costs its columns and a little for itself.
  const auto cost = [&](uint32_t g) { return uint64_t{w.group_begin[g]} + 4 * uint64_t{g}; };
  for (int c = 1; c < chunks; ++c) {
    uint32_t g = begin.back();
    while (g < groups && cost(g) * chunks < cost(groups) * c) ++g;
    if (g > begin.back() && g < groups) begin.push_back(g);
  }
  begin.push_back(groups);
  return begin;
}

}  // namespace

TaskGrid MakeGrid(const PackedWeights& weights, size_t vectors, int widest, int threads) {
  TaskGrid grid;
  const size_t tiles = (vectors + widest - 1) / widest;
  for (size_t t = 0; t <= tiles; ++t) {
    grid.tile_begin.push_back(static_cast<uint32_t>(t * vectors / tiles));
  }
  int chunks = 1;
  if (threads > 1) {
    const int wanted = threads * kTasksPerThread;
    chunks = (wanted + static_cast<int>(tiles) - 1) / static_cast<int>(tiles);
  }
  grid.group_begin = SplitGroups(weights, chunks);
  return grid;
}

void RunSpmv(const PackedWeights& w, const float* x, float* y, float lo, float hi,
             const RunContext& context) {
  SpmvArgs args{x,  y, w.group_begin.data(), w.columns.data(), w.values.data(), w.bias.data(), 0, 0,
                lo, hi};
  const SpmvFn spmv = context.kernels.spmv[GroupIndex(w.group)];
  // Below some ten thousand weights a thread is not worth waking.
  const bool small = w.values.size() < 16384;
  const TaskGrid grid = MakeGrid(w, 1, 1, small ? 1 : context.team.size());
  context.team.Run(grid.chunks(), [&](int task, int) {
    SpmvArgs part = args;
    part.first_group = grid.group_begin[task];
    part.end_group = grid.group_begin[task + 1];
    spmv(part);
  });
}

}  // namespace sbnn
