#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "delegate/bench/works.h"
#include "delegate/kernels/int8/table.h"

namespace sbnn {
namespace {

int8::Kernels real;  // what the recorders stand for
uint64_t adds = 1;   // instructions that add to a vector of sums, for four products of a lane

// There are many kernels for the product of a sparse matrix and a tile: slots tell them apart.
struct SpmmSlot {
  int8::SpmmFn kernel;
  uint64_t group, pixels;
  bool columns;
};
constexpr int kSlots = kInt8GroupKinds * (2 * int8::kMaxTileVectors + 6);
std::vector<SpmmSlot> slots;

template <size_t Slot>
void RecordSpmm(const int8::SpmmArgs& a) {
  const SpmmSlot& slot = slots[Slot];
  const uint64_t first = a.first_quad * kQuad / slot.group, end = a.end_quad * kQuad / slot.group;
  const uint64_t steps = a.group_begin[end] - a.group_begin[first],
                 quads = a.end_quad - a.first_quad;
  const uint64_t vectors = (slot.pixels + real.lanes - 1) / real.lanes;
  const uint64_t indices = slot.columns ? kQuad : 1;
  const uint64_t tile = slot.pixels * (slot.columns ? 1 : kQuad);
  Work& work = CallOf(slot.kernel);
  work.outer += quads;
  work.entries += end - first;
  work.fmas += adds * steps * slot.group * vectors;
  work.stores += quads * vectors;
  work.x_bytes += Different(a.offset + indices * a.group_begin[first], indices * steps) * tile;
  work.reads += indices * steps * tile;
  work.w_bytes += steps * (slot.group * kQuad + indices * sizeof(int32_t)) +
                  quads * kQuad * (sizeof(int32_t) + sizeof(float));
  work.y_bytes += quads * kQuad * slot.pixels;
}

template <size_t... Slot>
std::array<int8::SpmmFn, sizeof...(Slot)> SpmmRecorders(std::index_sequence<Slot...>) {
  return {&RecordSpmm<Slot>...};
}

// A vector takes as many steps as it has quarters.
void RecordSpmv(const int8::SpmvArgs& a) {
  const uint64_t quads = a.end_quad - a.first_quad;
  const uint64_t steps = a.group_begin[a.end_quad] - a.group_begin[a.first_quad];
  Work& work = CallOf(real.spmv);
  work.outer += quads;
  work.entries += quads;
  work.fmas += adds * steps * kQuad / real.lanes;
  work.stores += quads;
  work.reads += steps * kQuad;
  work.w_bytes += steps * (kQuad * kQuad + sizeof(uint16_t));
  work.y_bytes += quads * kQuad;
}

template <int Kernel, int Stride>
void RecordDepthwise(const int8::DepthwiseArgs& a) {
  const uint64_t rows = a.end_row - a.first_row, quads = a.quads;
  const uint64_t in_rows = std::min<uint64_t>(a.in_h, (rows - 1) * Stride + Kernel);
  const uint64_t vectors = quads * rows * ((a.out_w + real.lanes - 1) / real.lanes);
  Work& work = CallOf(real.depthwise[Kernel / 2 - 1][Stride - 1]);
  work.outer += quads;
  work.entries += quads * rows;
  work.fmas += adds * vectors * kQuad * Kernel * (Kernel > 3 ? 2 : 1);
  work.stores += vectors;
  work.x_bytes += quads * in_rows * a.in_w * kQuad;
  work.y_bytes += quads * rows * a.out_w * kQuad;
}

void RecordGather(const int8::GatherArgs& a) {
  Work& work = CallOf(real.gather);
  work.outer += 1;
  work.entries += 1;
  work.stores += a.count;
  work.x_bytes += a.count * kQuad;
  work.y_bytes += a.count * kQuad;
}

}  // namespace

void RecordInt8(const char* isa) {
  // (The table is const to all but those who stand in for it.)
  auto& k = const_cast<int8::Kernels&>(*int8::KernelsOf(isa));
  real = k;
  // Without products of four, those of two are added up, of half a vector at a time.
  adds = std::string(k.isa) == "neon" ? 2 : 1;
  const auto recorders = SpmmRecorders(std::make_index_sequence<kSlots>());
  const auto record = [&](int8::SpmmFn* kernel, int group, int pixels, bool columns) {
    if (*kernel == nullptr) return;
    slots.push_back(
        {*kernel, static_cast<uint64_t>(group), static_cast<uint64_t>(pixels), columns});
    *kernel = recorders[slots.size() - 1];
  };
  for (int g = 0; g < kInt8GroupKinds; ++g) {
    const int group = kInt8Groups[g];
    for (int p = 0; p < k.blocks[g].widest; ++p) {
      const int pixels = (p + 1) * k.lanes;
      record(&k.blocks[g].kernel[p], group, pixels, false);
      record(&k.blocks[g].with_tail[p], group, pixels + int8::kTailPixels, false);
    }
    for (int8::ColumnTiles& tiles : k.columns[g]) {
      record(&tiles.wide, group, 4 * k.lanes, true);
      record(&tiles.narrow, group, k.lanes, true);
      record(&tiles.tail, group, int8::kTailPixels, true);
    }
  }
  k.spmv = &RecordSpmv;
  k.depthwise[0][0] = &RecordDepthwise<3, 1>;
  k.depthwise[0][1] = &RecordDepthwise<3, 2>;
  k.depthwise[1][0] = &RecordDepthwise<5, 1>;
  k.depthwise[1][1] = &RecordDepthwise<5, 2>;
  k.gather = &RecordGather;
}

}  // namespace sbnn
