#include "delegate/engine/matrix.h"

#include <algorithm>
#include <limits>

namespace sbnn {
namespace {

// Tasks a thread should get, so that unequal cores finish together.
constexpr int kTasksPerThread = 4;

// Vectors of a tile that is wide enough to hide latency.
constexpr size_t kLeastVectors = 3;

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
  uint32_t values = 0;
  for (size_t s = 0; s < begin.size(); ++s) {
    begin[s] = values;
    const OutputPair* const pairs = w.PairsOf(s);
    for (size_t k = 0; k < w.pairs_of(s); ++k) values += 2 * (pairs[k].both + pairs[k].one);
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

}  // namespace

std::vector<Tile> SplitPixels(const Kernels& kernels, int index, size_t pixels, int threads) {
  if (index == kUnstructuredKind && pixels == 1) return {{0, 1, kernels.spmm_unstructured_pixel}};
  const SpmmTiles& whole = kernels.spmm[index][0];
  const SpmmTiles& last = PickTail(kernels, index, pixels);
  const size_t lanes = kernels.lanes;
  const size_t vectors = last.tail > 0 ? pixels / lanes : (pixels + lanes - 1) / lanes;
  size_t count = (vectors + whole.widest - 1) / whole.widest;
  while (vectors / count > static_cast<size_t>(last.widest)) ++count;
  // As many for each thread: then it reads the pixels that it wrote as the operator before.
  const size_t even = RoundUp(count, threads);
  if (vectors / even >= kLeastVectors) count = even;
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

Status PlanOffsets(const PackedWeights& w, uint64_t channel_stride,
                   const std::vector<int64_t>& tap_offset, ElementType type, int parts,
                   std::vector<int32_t>* offset_bytes) {
  // Of each input and tap: what all columns are looked up in.
  const int64_t channel_bytes = static_cast<int64_t>(channel_stride * BytesOf(type));
  std::vector<int64_t> bytes_of;
  for (int64_t input = 0; input < w.inputs; ++input) {
    for (int64_t tap : tap_offset) {
      bytes_of.push_back(input * channel_bytes + tap * static_cast<int64_t>(BytesOf(type)));
    }
  }
  offset_bytes->resize(w.columns.size());
  const int64_t part = w.outputs / parts;  // outputs
  int64_t most = 0;
  for (size_t s = 0; s < w.segments(); ++s) {
    const int64_t first_output = static_cast<int64_t>(s % w.groups()) * w.group;
    const int64_t first_byte = first_output / part * w.inputs * channel_bytes;
    for (uint32_t i = w.group_begin[s]; i < w.group_begin[s + 1]; ++i) {
      const int64_t bytes = first_byte + bytes_of[w.columns[i]];
      most = std::max(most, bytes);
      (*offset_bytes)[i] = static_cast<int32_t>(bytes);
    }
  }
  if (most > std::numeric_limits<int32_t>::max()) {
    return Status::Error("an image of more than 2 GiB");
  }
  return Status();
}

TaskGrid MakeGrid(const PackedWeights& weights, size_t pixels, const Kernels& kernels,
                  int threads) {
  TaskGrid grid;
  grid.tiles = SplitPixels(kernels, KindIndex(weights), pixels, threads);
  int chunks = 1;
  if (threads > 1) {
    const int wanted = threads * kTasksPerThread, tiles = static_cast<int>(grid.tiles.size());
    chunks = (wanted + tiles - 1) / tiles;
  }
  grid.group_begin = SplitGroups(weights, chunks);
  if (weights.unstructured()) grid.value_begin = FirstValues(weights);
  return grid;
}

namespace {

void RunUnstructured(const PackedWeights& w, const TaskGrid& grid, const Tile& tile,
                     const SpmmArgs& args, ElementType type) {
  for (int b = 0; b < w.blocks(); ++b) {
    for (uint32_t g = args.first_group; g < args.end_group; ++g) {
      const size_t segment = static_cast<size_t>(b) * w.groups() + g;
      const size_t output = static_cast<size_t>(g) * kUnstructuredGroup;
      SpmmArgs segment_args = args;
      segment_args.y = Advance(args.y, output * args.y_stride, type);
      segment_args.offset_bytes += w.group_begin[segment];
      segment_args.weights = Advance(args.weights, grid.value_begin[segment], type);
      segment_args.pairs = w.PairsOf(segment);
      segment_args.first_group = 0;
      segment_args.end_group = static_cast<uint32_t>(w.pairs_of(segment));
      if (b == 0) {
        segment_args.bias = Advance(args.bias, output, type);
        if (args.add != nullptr) {
          segment_args.add = Advance(args.add, output * args.y_stride, type);
        }
      } else {  // adds to what the block before left
        segment_args.bias = nullptr;
        segment_args.add = segment_args.y;
      }
      if (b + 1 < w.blocks()) {
        segment_args.lo = -std::numeric_limits<float>::infinity();
        segment_args.hi = std::numeric_limits<float>::infinity();
      }
      tile.spmm(segment_args);
    }
  }
}

}  // namespace

void RunSpmm(const PackedWeights& w, const TaskGrid& grid, const Tile& tile, const SpmmArgs& args,
             const Kernels& kernels) {
  if (!w.unstructured()) return tile.spmm(args);
  RunUnstructured(w, grid, tile, args, kernels.type);
}

VectorGrid MakeVectorGrid(const PackedWeights& w, int threads) {
  VectorGrid grid;
  // Below some ten thousand weights a thread is not worth waking.
  const bool split = threads > 1 && w.values.size() >= 16384;
  grid.group_begin = SplitGroups(w, split ? threads * kTasksPerThread : 1);
  return grid;
}

void RunSpmv(const PackedWeights& w, const VectorGrid& grid, const Values& values,
             const Values& bias, const void* x, void* y, float lo, float hi,
             const RunContext& context) {
  const SpmvArgs args{x,
                      y,
                      w.group_begin.data(),
                      w.columns.data(),
                      values.From(0),
                      bias.From(0),
                      0,
                      static_cast<uint32_t>(w.groups()),
                      lo,
                      hi};
  const SpmvFn spmv = context.kernels.spmv[KindIndex(w)];
  context.team.Run(static_cast<int>(grid.group_begin.size()) - 1, [&](int task, int) {
    SpmvArgs task_args = args;
    task_args.first_group = grid.group_begin[task];
    task_args.end_group = grid.group_begin[task + 1];
    spmv(task_args);
  });
}

}  // namespace sbnn
