#include "delegate/engine/ops/matrix.h"

#include <algorithm>
#include <limits>

namespace sbnn {
namespace {

// Tasks a thread should get, so that unequal cores finish together.
constexpr int kTasksPerThread = 4;

std::vector<uint32_t> SplitGroups(const PackedWeights& w, int chunks) {
  std::vector<uint32_t> begin = {0};
  const uint32_t groups = static_cast<uint32_t>(w.groups());
  // What the groups before g cost: their columns and a little for themselves.
  const auto cost = [&](uint32_t g) {
    uint64_t sum = 4 * uint64_t{g};
    for (size_t first = 0; first < w.segments(); first += groups) {
      sum += w.group_begin[first + g] - w.group_begin[first];
    }
    return sum;
  };
  for (int c = 1; c < chunks; ++c) {
    uint32_t g = begin.back();
    while (g < groups && cost(g) * chunks < cost(groups) * c) ++g;
    if (g > begin.back() && g < groups) begin.push_back(g);
  }
  begin.push_back(groups);
  return begin;
}

std::vector<uint32_t> FirstValues(const PackedWeights& w) {
  std::vector<uint32_t> begin(w.segments());
  const uint8_t* run = w.runs.data();
  uint32_t values = 0;
  for (uint32_t& first : begin) {
    first = values;
    for (int set = 1; set <= kMixedRuns; ++set) values += *run++ * __builtin_popcount(set);
  }
  return begin;
}

// The kernels whose tail wastes the least behind the whole vectors of `pixels`.
const SpmmTiles& PickTail(const Kernels& kernels, int index, size_t pixels) {
  const auto& kinds = kernels.spmm[index];
  const size_t left = pixels % kernels.lanes;
  if (left == 0 || left == pixels) return kinds[0];
  for (const SpmmTiles& kind : kinds) {
    if (kind.widest > 0 && left <= static_cast<size_t>(kind.tail)) return kind;
  }
  return kinds[0];
}

std::vector<Tile> SplitPixels(const Kernels& kernels, int index, size_t pixels) {
  const SpmmTiles& whole = kernels.spmm[index][0];
  const SpmmTiles& last = PickTail(kernels, index, pixels);
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
  grid.tiles = SplitPixels(kernels, KindIndex(weights), pixels);
  int chunks = 1;
  if (threads > 1) {
    const int wanted = threads * kTasksPerThread, tiles = static_cast<int>(grid.tiles.size());
    chunks = (wanted + tiles - 1) / tiles;
  }
  grid.group_begin = SplitGroups(weights, chunks);
  if (weights.mixed()) grid.value_begin = FirstValues(weights);
  return grid;
}

void RunSpmm(const PackedWeights& w, const TaskGrid& grid, const Tile& tile, const SpmmArgs& args,
             const Kernels& kernels) {
  if (!w.mixed()) return tile.spmm(args);
  const size_t blocks = w.blocks(), groups = w.groups();
  // Where a group's vectors lie over the next groups' outputs, it is done before these are begun.
  const uint32_t step = args.y_stride < tile.width ? 1 : args.end_group - args.first_group;
  for (uint32_t g = args.first_group; g < args.end_group; g += step) {
    SpmmArgs part = args;
    part.first_group = g;
    part.end_group = g + step;
    for (size_t b = 0; b < blocks; ++b) {
      const size_t segment = b * groups;
      const bool last = b + 1 == blocks;
      part.runs = w.runs.data() + segment * kMixedRuns;
      part.offset_bytes = args.offset_bytes + w.group_begin[segment + g];
      part.weights = Advance(args.weights, grid.value_begin[segment + g], kernels.element_bytes);
      part.lo = last ? args.lo : -std::numeric_limits<float>::infinity();
      part.hi = last ? args.hi : std::numeric_limits<float>::infinity();
      tile.spmm(part);
      part.bias = nullptr;  // the next block adds to what this one left
      part.add = part.y;
    }
  }
}

void RunSpmv(const PackedWeights& w, const Values& values, const Values& bias, const void* x,
             void* y, float lo, float hi, const RunContext& context) {
  const SpmvArgs args{x,
                      y,
                      w.group_begin.data(),
                      w.columns.data(),
                      values.From(0),
                      bias.From(0),
                      0,
                      static_cast<uint32_t>(w.groups()),
                      lo,
                      hi,
                      w.runs.data(),
                      static_cast<uint32_t>(w.blocks())};
  const SpmvFn spmv = context.kernels.spmv[KindIndex(w)];
  if (w.mixed()) return spmv(args);
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
