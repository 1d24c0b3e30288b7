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

// The kernels whose tail wastes the least behind the whole vectors of `pixels`.
const SpmmTiles& PickTail(const Kernels& kernels, int group, size_t pixels) {
  const auto& kinds = kernels.spmm[GroupIndex(group)];
  const size_t left = pixels % kernels.lanes;
  if (left == 0 || left == pixels) return kinds[0];
  for (const SpmmTiles& kind : kinds) {
    if (kind.widest > 0 && left <= static_cast<size_t>(kind.tail)) return kind;
  }
  return kinds[0];
}

std::vector<Tile> SplitPixels(const Kernels& kernels, int group, size_t pixels) {
  const SpmmTiles& whole = kernels.spmm[GroupIndex(group)][0];
  const SpmmTiles& last = PickTail(kernels, group, pixels);
  const size_t lanes = kernels.lanes;
  const size_t vectors = last.tail > 0 ? pixels / lanes : (pixels + lanes - 1) / lanes;
  size_t count = (vectors + whole.widest - 1) / whole.widest;
  while (vectors / count > static_cast<size_t>(last.widest)) ++count;
  std::vector<Tile> tiles;
  size_t first = 0;
  for (size_t t = count; t > 0; --t) {
    // From the widest to the narrowest, which the tail joins.
    const SpmmTiles& kind = t > 1 ? whole : last;
    const size_t take = (vectors - first / lanes + t - 1) / t;
    const size_t width = take * lanes + kind.tail;
    tiles.push_back(
        {static_cast<uint32_t>(first), static_cast<uint32_t>(width), kind.kernel[take - 1]});
    first += width;
  }
  return tiles;
}

}  // namespace

TaskGrid MakeGrid(const PackedWeights& weights, size_t pixels, const Kernels& kernels,
                  int threads) {
  TaskGrid grid;
  grid.tiles = SplitPixels(kernels, weights.group, pixels);
  int chunks = 1;
  if (threads > 1) {
    const int wanted = threads * kTasksPerThread, tiles = static_cast<int>(grid.tiles.size());
    chunks = (wanted + tiles - 1) / tiles;
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
  const int threads = small ? 1 : context.team.size();
  const std::vector<uint32_t> begin = SplitGroups(w, threads > 1 ? threads * kTasksPerThread : 1);
  context.team.Run(static_cast<int>(begin.size()) - 1, [&](int task, int) {
    SpmvArgs part = args;
    part.first_group = begin[task];
    part.end_group = begin[task + 1];
    spmv(part);
  });
}

}  // namespace sbnn
