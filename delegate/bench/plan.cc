// Prints which kernels the engine calls for the layers of a network, and with how much work,
// without computing anything: what the performance model multiplies its cycles with.
//
//   plan SHAPES [--keep F] [--group G] [--block B] [--isa NAME] [--in-order] [--int8]
//   plan SHAPES --compute [...]     prints nothing and computes, for an emulator that watches
//
// The engine runs each layer with a table whose kernels only write down their arguments. A line a
// layer and kernel, fields separated by tabs:
//   layer     number of the layer in SHAPES, from 0
//   address   of the kernel in this file, hexadecimal
//   loop      which of the kernel's inner loops this line is about, from 1, in the order of the
//   code;
//             0: the kernel has but one. (All but the first have calls, outer, stores and bytes 0.)
//   calls
//   outer     turns of the kernel's outermost loop: groups of outputs, channels or rows
//   entries   into the inner loop
//   fmas      multiply-add instructions (0: the kernel does none); of int8, those that add to sums
//   stores    vectors written, or floats where a kernel writes those
//   x_bytes   of activations read, each once a call
//   reads     of activations read, again and again
//   w_bytes   of weights and offsets read
//   y_bytes   written
//   weights   bytes of the whole layer's weights and offsets
#include <link.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "delegate/bench/layer.h"
#include "delegate/bench/works.h"

namespace sbnn {
namespace {

constexpr char kUsage[] =
    "plan SHAPES [--keep F] [--group G] [--block B] [--isa NAME] [--in-order] [--int8] "
    "[--compute]\n"
    "  SHAPES   lines: conv|dw|fc height width inputs outputs kernel stride [count]\n"
    "  --keep   share of the weights of convolutions that are kept, but of the first line's\n"
    "           (default 1)\n"
    "  --group  outputs that share their kept inputs: 1, 2, 4, 8 or 16 (default 4)\n"
    "  --block  inputs that are kept together (default 1)\n"
    "  --in-order  packs for cores of ARM that issue in order\n"
    "  --int8   layers are quantized\n";

constexpr uint64_t kFloat = sizeof(float);

Kernels real;  // what the recorders stand for

uint64_t Vectors(uint64_t floats) { return (floats + real.lanes - 1) / real.lanes; }

template <typename Args>
uint64_t Columns(const Args& a) {
  return a.group_begin[a.end_group] - a.group_begin[a.first_group];
}

// There are many kernels for the product of a sparse matrix and a panel: slots tell them apart.
struct SpmmSlot {
  SpmmFn kernel;
  uint64_t group;  // 0: of unstructured weights
  uint64_t vectors, tail;
};
constexpr int kSlots = (kGroupKinds + 1) * (1 + kTailKinds) * kMaxTileVectors;
std::vector<SpmmSlot> slots;

// One loop takes the columns that both outputs of a pair have, the other one those of either.
void RecordUnstructured(const SpmmSlot& slot, const SpmmArgs& a) {
  const uint64_t tile = (slot.vectors * real.lanes + slot.tail) * kFloat;
  const uint64_t pairs = a.end_group - a.first_group, vectors = slot.vectors + (slot.tail > 0);
  Work& both = CallOf(slot.kernel, 1);
  Work& one = WorkOf(slot.kernel, 2);
  uint64_t columns = 0, values = 0;
  for (uint64_t i = a.first_group; i < a.end_group; ++i) {
    const OutputPair& pair = a.pairs[i];
    both.entries += pair.both > 0;
    both.fmas += 2 * vectors * pair.both;
    one.entries += pair.one > 0;
    one.fmas += 2 * vectors * pair.one;
    columns += pair.both + 2 * pair.one;
    values += 2 * (pair.both + pair.one);
  }
  both.outer += pairs;
  both.stores += 2 * pairs * vectors;
  both.x_bytes += Different(a.offset_bytes, columns) * tile;
  both.reads += columns * tile;
  both.w_bytes += values * kFloat + columns * sizeof(int32_t) + pairs * sizeof(OutputPair);
  // All but the first block of inputs add to what is there.
  both.y_bytes += 2 * pairs * tile * (a.add == nullptr ? 1 : 2);
}

template <size_t Slot>
void RecordSpmm(const SpmmArgs& a) {
  const SpmmSlot& slot = slots[Slot];
  if (slot.group == 0) return RecordUnstructured(slot, a);
  const uint64_t groups = a.end_group - a.first_group, columns = Columns(a);
  const uint64_t pixels = slot.vectors * real.lanes + slot.tail, tile = pixels * kFloat;
  // In the tail the outputs are the vector.
  const uint64_t vectors = slot.group * slot.vectors + slot.tail * Vectors(slot.group);
  Work& work = CallOf(slot.kernel);
  work.outer += groups;
  work.entries += groups;
  work.fmas += columns * vectors;
  work.stores += groups * vectors;
  work.x_bytes += Different(a.offset_bytes + a.group_begin[a.first_group], columns) * tile;
  work.reads += columns * tile;
  work.w_bytes += columns * (slot.group * kFloat + sizeof(int32_t));
  work.y_bytes += groups * slot.group * tile;
}

template <size_t... Slot>
std::array<SpmmFn, sizeof...(Slot)> SpmmRecorders(std::index_sequence<Slot...>) {
  return {&RecordSpmm<Slot>...};
}

template <int GroupKind>
void RecordSpmv(const SpmvArgs& a) {
  const uint64_t groups = a.end_group - a.first_group, columns = Columns(a);
  const uint64_t group = kGroupSizes[GroupKind];
  Work& work = CallOf(real.spmv[GroupKind]);
  work.outer += groups;
  work.entries += groups;
  // Of single outputs, the vectors are four columns.
  work.fmas += group == 1 ? columns / 4 : columns * Vectors(group);
  work.stores += groups * group;
  work.x_bytes += a.end_group == a.first_group ? 0 : columns * kFloat;
  work.reads += columns * kFloat;
  work.w_bytes += columns * (group * kFloat + sizeof(uint16_t));
  work.y_bytes += groups * group * kFloat;
}

// Channels: of a narrow plane, two share a vector.
template <int Kernel, int Stride, int Channels>
void RecordDepthwiseDirect(const DepthwiseDirectArgs& a) {
  const uint64_t rows = a.end_row - a.first_row, channels = a.channels;
  const uint64_t vectors = (channels + Channels - 1) / Channels * rows * Vectors(a.out_w);
  Work& work = CallOf((Channels == 1 ? real.depthwise_direct
                                     : real.depthwise_two_channels)[Kernel / 2 - 1][Stride - 1]);
  work.outer += channels / Channels;
  work.entries += channels / Channels * rows;
  work.fmas += vectors * Kernel * Kernel;
  work.stores += vectors;
  work.x_bytes +=
      channels * std::min<uint64_t>(a.in_h, rows * Stride + Kernel - 1) * a.in_w * kFloat;
  work.y_bytes += channels * rows * a.out_w * kFloat;
}

void RecordDepthwise(const DepthwiseArgs& a) {
  const uint64_t rows = a.rows;
  Work& work = CallOf(real.depthwise);
  work.outer += rows;
  work.entries += rows;
  work.fmas += rows * Vectors(a.width) * a.taps;
  work.stores += rows * Vectors(a.width);
  work.y_bytes += rows * a.width * kFloat;
}

// Rows that lie close, or three channels of the outside's layout, are moved as vectors, others
// float by float.
void RecordPadRow(const PadRowArgs& a) {
  const uint64_t floats = uint64_t(a.length) * a.stride;
  Work& work = CallOf(real.pad_row);
  work.outer += 1;
  work.entries += 1;
  work.stores += (a.x_stride == 1 || a.x_stride == 3) && a.stride <= 2 ? Vectors(floats) : floats;
  work.x_bytes += a.x == nullptr ? 0 : a.width * kFloat;
  work.y_bytes += floats * kFloat;
}

void RecordShiftRows(const ShiftRowsArgs& a) {
  const uint64_t rows = a.rows;
  Work& work = CallOf(real.shift_rows);
  work.outer += rows;
  work.entries += rows;
  work.stores += rows * Vectors(a.length);
  work.x_bytes += rows * a.width * kFloat;
  work.y_bytes += rows * a.length * kFloat;
}

// The table with recorders in place of the kernels of convolutions.
Kernels Recorders(const Kernels& kernels) {
  real = kernels;
  Kernels k = kernels;
  const std::array<SpmmFn, kSlots> spmm = SpmmRecorders(std::make_index_sequence<kSlots>());
  for (int g = 0; g <= kGroupKinds; ++g) {
    const uint64_t group = g == kUnstructuredKind ? 0 : kGroupSizes[g];
    for (SpmmTiles& tiles : k.spmm[g]) {
      for (int p = 0; p < tiles.widest; ++p) {
        slots.push_back({tiles.kernel[p], group, uint64_t(p + 1), uint64_t(tiles.tail)});
        tiles.kernel[p] = spmm[slots.size() - 1];
      }
    }
  }
  k.spmv[0] = &RecordSpmv<0>;
  k.spmv[1] = &RecordSpmv<1>;
  k.spmv[2] = &RecordSpmv<2>;
  k.spmv[3] = &RecordSpmv<3>;
  k.depthwise_direct[0][0] = &RecordDepthwiseDirect<3, 1, 1>;
  k.depthwise_direct[0][1] = &RecordDepthwiseDirect<3, 2, 1>;
  k.depthwise_direct[1][0] = &RecordDepthwiseDirect<5, 1, 1>;
  k.depthwise_direct[1][1] = &RecordDepthwiseDirect<5, 2, 1>;
  if (k.depthwise_two_channels[0][0] != nullptr) {
    k.depthwise_two_channels[0][0] = &RecordDepthwiseDirect<3, 1, 2>;
    k.depthwise_two_channels[0][1] = &RecordDepthwiseDirect<3, 2, 2>;
    k.depthwise_two_channels[1][0] = &RecordDepthwiseDirect<5, 1, 2>;
    k.depthwise_two_channels[1][1] = &RecordDepthwiseDirect<5, 2, 2>;
  }
  k.depthwise = &RecordDepthwise;
  k.pad_row = &RecordPadRow;
  k.shift_rows = &RecordShiftRows;
  return k;
}

// How far this program lies from where it was linked to.
uintptr_t LoadBias() {
  uintptr_t bias = 0;
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void* first) {
        *static_cast<uintptr_t*>(first) = info->dlpi_addr;
        return 1;  // the program comes first
      },
      &bias);
  return bias;
}

int Main(int argc, char** argv) {
  Zeros zeros;
  bool compute = false, in_order = false, int8 = false;
  std::string shapes, isa;
  for (int i = 1; i < argc; ++i) {
    const std::string arg = argv[i];
    const char* value = i + 1 < argc ? argv[i + 1] : "";
    if (arg.rfind("--", 0) != 0) {
      shapes = arg;
      continue;
    }
    if (arg == "--compute" || arg == "--in-order" || arg == "--int8") {
      (arg == "--compute" ? compute : arg == "--int8" ? int8 : in_order) = true;
      continue;
    }
    ++i;
    if (arg == "--keep") {
      zeros.keep = zeros.keep_kxk = std::strtof(value, nullptr);
    } else if (arg == "--group") {
      zeros.group = std::atoi(value);
    } else if (arg == "--block") {
      zeros.block = std::atoi(value);
    } else if (arg == "--isa") {
      isa = value;
    } else {
      std::fputs(kUsage, stderr);
      return 2;
    }
  }
  std::vector<Layer> layers;
  const Status read = ReadLayers(shapes, &layers);
  if (!read.ok()) std::fprintf(stderr, "%s\n", read.message().c_str());
  const Kernels* const found = FindKernels(isa);
  if (!read.ok() || found == nullptr || zeros.keep <= 0 || zeros.keep > 1 || zeros.group < 1 ||
      zeros.block < 1) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  Kernels kernels = compute ? *found : Recorders(*found);
  if (in_order) kernels.column_cost = kInOrderCost;
  if (int8 && !compute) RecordInt8(kernels.isa);
  const uintptr_t bias = LoadBias();
  if (!compute) {
    std::printf(
        "layer\taddress\tloop\tcalls\touter\tentries\tfmas\tstores\tx_bytes\treads\tw_bytes\ty_"
        "bytes\t"
        "weights\n");
  }
  for (size_t l = 0; l < layers.size(); ++l) {
    LayerNetwork made;
    Status status = (int8 ? MakeInt8Network : MakeNetwork)(layers[l], zeros, kernels, 1, &made);
    if (status.ok()) {
      // (Enough for int8, too.)
      const std::vector<float> x(ElementCount(made.input));
      std::vector<float> y(ElementCount(made.network.output_shape(0)));
      const ElementType type = made.network.input_type(0).element;
      works.clear();
      status = made.network.Run({{x.data(), type}}, {{y.data(), type}});
    }
    if (!status.ok()) {
      std::fprintf(stderr, "%s\n", status.message().c_str());
      return 2;
    }
    for (const auto& [loop, w] : works) {
      std::printf("%zu\t%zx", l, static_cast<size_t>(loop.first - bias));
      for (uint64_t field : {loop.second, w.calls, w.outer, w.entries, w.fmas, w.stores, w.x_bytes,
                             w.reads, w.w_bytes, w.y_bytes, uint64_t(made.weight_bytes)}) {
        std::printf("\t%zu", static_cast<size_t>(field));
      }
      std::printf("\n");
    }
  }
  return 0;
}

}  // namespace
}  // namespace sbnn

int main(int argc, char** argv) { return sbnn::Main(argc, argv); }
