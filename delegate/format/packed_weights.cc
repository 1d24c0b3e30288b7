#include "delegate/format/packed_weights.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "delegate/format/aligned_memory.h"
#include "delegate/format/float16.h"
#include "delegate/format/unstructured_weights.h"

namespace sbnn {
namespace {

// The values of a constant, wherever they are aligned. (Adding 0 makes a zero of -0.)
struct Floats {
  const char* bytes;
  float operator()(size_t i) const {
    float value;
    std::memcpy(&value, bytes + 4 * i, sizeof(value));
    return value + 0.0f;
  }
};

struct Float16s {
  const char* bytes;
  float operator()(size_t i) const {
    uint16_t bits;
    std::memcpy(&bits, bytes + 2 * i, sizeof(bits));
    return Float16ToFloat(bits) + 0.0f;
  }
};

// For whoever allocated what it shows.
template <typename T>
T* Writable(const View<T>& view) {
  return const_cast<T*>(view.data());
}

// Reads eight outputs at a time: what is scattered here fits a cache.
class BlockReader {
 public:
  BlockReader(const Constant& filter, const PackedShape& shape)
      : filter_(filter),
        outputs_(shape.outputs),
        inputs_(shape.inputs),
        taps_(shape.taps),
        by_rows_(ByRows(filter)),
        values_(columns() * kMaxGroup),
        masks_(columns()) {
    if (filter.sparse() && !by_rows_) Bucket();
  }

  size_t columns() const { return static_cast<size_t>(inputs_) * taps_; }
  int blocks() const { return (outputs_ + kMaxGroup - 1) / kMaxGroup; }

  // Fills masks: bit l of a column says whether output 8 * block + l is not zero there. The columns
  // come in any order.
  void ReadMasks(int block) {
    if (filter_.type == ElementType::kFloat32) {
      Masks(block, Floats{static_cast<const char*>(filter_.values)});
    } else {
      Masks(block, Float16s{static_cast<const char*>(filter_.values)});
    }
  }

  // Fills values ([column][8]) and masks, in the order of the columns.
  void Read(int block) {
    if (filter_.type == ElementType::kFloat32) {
      Values(block, Floats{static_cast<const char*>(filter_.values)});
    } else {
      Values(block, Float16s{static_cast<const char*>(filter_.values)});
    }
  }

  const std::vector<float>& values() const { return values_; }
  const std::vector<uint8_t>& masks() const { return masks_; }

  // Whether the filter stores just the columns that such a shape packs, in their order.
  bool StoresAs(const PackedShape& shape) const {
    return filter_.sparse() && by_rows_ && taps_ == 1 && stored_group() == shape.group &&
           Rows().index_count == shape.column_count;
  }
  // Fills all but the bias of such weights.
  void CopyRows(const PackedWeights& p) const {
    if (filter_.type == ElementType::kFloat32) {
      CopyRows(p, Floats{static_cast<const char*>(filter_.values)});
    } else {
      CopyRows(p, Float16s{static_cast<const char*>(filter_.values)});
    }
  }

 private:
  struct Entry {
    uint32_t slot;  // column * 8 + lane
    float value;
  };
  // Values of one column that lie side by side: of `count` outputs of the block from `lane` on.
  struct Run {
    size_t column;
    size_t first;  // value
    int lane, count;
  };

  // Whether the kept inputs of each tap of each group of outputs follow one another: what
  // `sbnn convert` writes.
  static bool ByRows(const Constant& filter) {
    const size_t rank = filter.shape.size(), blocked = filter.block_map.size();
    if (blocked > 1 || (blocked == 1 && filter.block_map[0] != 0)) return false;
    for (size_t i = 0; i < filter.levels.size(); ++i) {
      if (filter.traversal[i] != static_cast<int>(i)) return false;
      if (filter.levels[i].csr != (i == rank - 1)) return false;
    }
    return true;
  }

  template <typename Source>
  void Masks(int block, const Source& source) {
    std::fill(masks_.begin(), masks_.end(), 0);
    if (!filter_.sparse()) {
      // Copies of what the loop reads: for all the compiler knows, masks lie anywhere.
      ForEachRow(block, [this, source](int lane, size_t row) {
        uint8_t* const masks = masks_.data();
        for (size_t c = 0, count = columns(); c < count; ++c) {
          masks[c] |= static_cast<uint8_t>((source(row + c) != 0.0f) << lane);
        }
      });
    } else if (by_rows_) {
      ForEachRun(block, [&](const Run& run) { Mark(run, source); });
    } else {
      ForEachEntry(block, [&](uint32_t slot, float value) { Mark(slot, value); });
    }
  }

  template <typename Source>
  void Values(int block, const Source& source) {
    std::fill(masks_.begin(), masks_.end(), 0);
    if (filter_.sparse()) {
      std::fill(values_.begin(), values_.end(), 0.0f);
      if (by_rows_) {
        ForEachRun(block, [&](const Run& run) {
          float* const values = values_.data() + run.column * kMaxGroup + run.lane;
          for (int i = 0; i < run.count; ++i) values[i] = source(run.first + i);
          Mark(run, source);
        });
      } else {
        ForEachEntry(block, [&](uint32_t slot, float value) {
          values_[slot] = value;
          Mark(slot, value);
        });
      }
      return;
    }
    if (block == blocks() - 1) std::fill(values_.begin(), values_.end(), 0.0f);
    // Some inputs at a time, so that what all rows scatter to stays in the nearest cache.
    constexpr int kInputs = 64;
    const size_t taps = taps_;
    for (int begin = 0; begin < inputs_; begin += kInputs) {
      const int end = std::min(inputs_, begin + kInputs);
      ForEachRow(block, [=](int lane, size_t row) {
        for (size_t t = 0; t < taps; ++t) {
          const size_t first = row + t * inputs_;
          float* const values = values_.data() + t * kMaxGroup + lane;
          uint8_t* const masks = masks_.data() + t;
          for (int i = begin; i < end; ++i) {
            const float value = source(first + i);
            values[i * taps * kMaxGroup] = value;
            masks[i * taps] |= static_cast<uint8_t>((value != 0.0f) << lane);
          }
        }
      });
    }
  }

  void Mark(uint32_t slot, float value) {
    masks_[slot / kMaxGroup] |= static_cast<uint8_t>((value != 0.0f) << (slot % kMaxGroup));
  }

  // Calls fn(lane, index of the first value) for each output of a block of a dense filter.
  template <typename Fn>
  void ForEachRow(int block, const Fn& fn) const {
    const int first = block * kMaxGroup, end = std::min(outputs_, first + kMaxGroup);
    for (int o = first; o < end; ++o) fn(o - first, o * columns());
  }

  // The same in one step for outputs that lie side by side.
  template <typename Source>
  void Mark(const Run& run, const Source& source) {
    constexpr int kUsual = 4;
    unsigned mask = 0;
    if (run.count == kUsual) {  // which a compiler unrolls
      for (int i = 0; i < kUsual; ++i) mask |= unsigned{source(run.first + i) != 0.0f} << i;
    } else {
      for (int i = 0; i < run.count; ++i) mask |= unsigned{source(run.first + i) != 0.0f} << i;
    }
    masks_[run.column] |= static_cast<uint8_t>(mask << run.lane);
  }

  // Calls fn(run) for all that a block of a filter by rows stores.
  template <typename Fn>
  void ForEachRun(int block, const Fn& fn) const {
    const SparseLevel& level = Rows();
    const int group = stored_group();
    const int first = block * kMaxGroup, end = std::min(outputs_, first + kMaxGroup);
    for (int g = first / group; g * group < end; ++g) {
      const int from = std::max(first, g * group), to = std::min(end, (g + 1) * group);
      for (int t = 0; t < taps_; ++t) {
        const size_t row = static_cast<size_t>(g) * taps_ + t;
        for (int32_t k = level.segments[row]; k < level.segments[row + 1]; ++k) {
          fn(Run{static_cast<size_t>(level.indices[k]) * taps_ + t,
                 static_cast<size_t>(k) * group + (from - g * group), from - first, to - from});
        }
      }
    }
  }

  // Calls fn(slot, value) for each stored value of a block of any other sparse filter.
  template <typename Fn>
  void ForEachEntry(int block, const Fn& fn) const {
    for (size_t i = begin_[block]; i < begin_[block + 1]; ++i) {
      fn(entries_[i].slot, entries_[i].value);
    }
  }

  // Of a filter by rows.
  const SparseLevel& Rows() const { return filter_.levels[filter_.shape.size() - 1]; }
  int stored_group() const {
    return filter_.block_map.empty() ? 1 : filter_.levels.back().dense_size;
  }

  template <typename Source>
  void CopyRows(const PackedWeights& p, const Source& source) const;

  // Sorts the values of any other encoding by blocks.
  void Bucket() {
    const int last = static_cast<int>(filter_.shape.size()) - 1;
    begin_.assign(blocks() + 1, 0);
    ForEachStored(filter_, [&](const int* at, float) { ++begin_[at[0] / kMaxGroup + 1]; });
    for (int b = 0; b < blocks(); ++b) begin_[b + 1] += begin_[b];
    entries_.resize(begin_.back());
    std::vector<size_t> next(begin_.begin(), begin_.end() - 1);
    ForEachStored(filter_, [&](const int* at, float value) {
      uint32_t tap = 0;
      for (int d = 1; d < last; ++d) tap = tap * filter_.shape[d] + at[d];
      const uint32_t column = static_cast<uint32_t>(at[last]) * taps_ + tap;
      entries_[next[at[0] / kMaxGroup]++] = {column * kMaxGroup + at[0] % kMaxGroup, value};
    });
  }

  const Constant& filter_;
  const int outputs_, inputs_, taps_;
  const bool by_rows_;
  std::vector<float> values_;
  std::vector<uint8_t> masks_;
  std::vector<size_t> begin_;
  std::vector<Entry> entries_;
};

template <typename Source>
void BlockReader::CopyRows(const PackedWeights& p, const Source& source) const {
  const SparseLevel& level = Rows();
  std::copy(level.segments, level.segments + level.segment_count, Writable(p.group_begin));
  uint16_t* const columns = Writable(p.columns);
  for (size_t i = 0; i < level.index_count; ++i) {
    columns[i] = static_cast<uint16_t>(level.indices[i]);
  }
  float* const values = Writable(p.values);
  for (size_t i = 0; i < filter_.value_count; ++i) values[i] = source(i);
}

// How many columns the filter has if outputs are taken kGroupSizes[g] at a time.
using ColumnCounts = std::array<size_t, kGroupSizes.size()>;

ColumnCounts CountColumns(BlockReader* reader) {
  std::array<size_t, 256> found{};  // by mask
  for (int b = 0; b < reader->blocks(); ++b) {
    reader->ReadMasks(b);
    for (uint8_t mask : reader->masks()) ++found[mask];
  }
  ColumnCounts counts{};
  for (int mask = 0; mask < 256; ++mask) {
    for (size_t g = 0; g < kGroupSizes.size(); ++g) {
      const int group = kGroupSizes[g], bits = (1 << group) - 1;
      for (int first = 0; first < kMaxGroup; first += group) {
        if ((mask >> first & bits) != 0) counts[g] += found[mask];
      }
    }
  }
  return counts;
}

size_t CheapestGroup(const ColumnCounts& counts, const ColumnCost& cost) {
  // From the widest down, so that the wider group wins a tie.
  size_t best = kGroupSizes.size() - 1;
  for (size_t g = kGroupSizes.size() - 1; g-- > 0;) {
    if (counts[g] * cost.of[g] < counts[best] * cost.of[best]) best = g;
  }
  return best;
}

static_assert(kGroupSizes[0] == 1 && kGroupSizes[1] == 2);

// Unstructured weights have a value for each column of one output, and at most the columns of
// groups of two.
float UnstructuredCost(const ColumnCounts& counts, const ColumnCost& cost) {
  return counts[0] * cost.unstructured_weight + counts[1] * cost.unstructured_column;
}

// Appends the columns of one group. Each column is written, and overwritten by the next if it is
// all zero: whether it is cannot be foreseen, and a wrong guess would cost more.
template <int kGroup>
size_t AppendGroup(const BlockReader& reader, int index, size_t count, uint16_t* columns,
                   float* values) {
  const int bits = ((1 << kGroup) - 1) << (index * kGroup);
  const uint8_t* const masks = reader.masks().data();
  const float* source = reader.values().data() + index * kGroup;
  for (size_t column = 0; column < reader.columns(); ++column, source += kMaxGroup) {
    columns[count] = static_cast<uint16_t>(column);
    std::memcpy(values + count * kGroup, source, kGroup * sizeof(float));
    count += (masks[column] & bits) != 0;
  }
  return count;
}

constexpr size_t (*kAppendGroup[])(const BlockReader&, int, size_t, uint16_t*, float*) = {
    AppendGroup<1>, AppendGroup<2>, AppendGroup<4>, AppendGroup<8>};

void PutGroups(BlockReader* reader, size_t index, const PackedWeights& p) {
  if (reader->StoresAs(p)) return reader->CopyRows(p);
  uint32_t* group_begin = Writable(p.group_begin);
  *group_begin++ = 0;
  size_t count = 0;
  for (int b = 0; b < reader->blocks(); ++b) {
    reader->Read(b);
    for (int part = 0; part < kMaxGroup / p.group; ++part) {
      if ((b * kMaxGroup) + part * p.group >= p.outputs) break;
      count = kAppendGroup[index](*reader, part, count, Writable(p.columns), Writable(p.values));
      *group_begin++ = static_cast<uint32_t>(count);
    }
  }
}

// Unstructured weights in the making: `shape` is complete but for the numbers of columns and
// values.
struct UnstructuredColumns {
  std::vector<UnstructuredBlock> blocks;
  std::vector<uint32_t> columns;  // [segments]

  UnstructuredColumns(BlockReader* reader, const PackedShape& shape)
      : blocks(shape.blocks()), columns(shape.segments()) {
    // [block][output of the group]
    std::vector<std::vector<UnstructuredRow>> rows(blocks.size());
    for (int g = 0; g < shape.groups(); ++g) {
      const int first = g * kUnstructuredGroup,
                end = std::min(shape.outputs, first + kUnstructuredGroup);
      for (auto& of_block : rows) {
        of_block.resize(end - first);
        for (UnstructuredRow& row : of_block) row.Clear();
      }
      for (int o = first; o < end; o += kMaxGroup) {
        reader->Read(o / kMaxGroup);
        Collect(*reader, shape, std::min(kMaxGroup, end - o), o - first, &rows);
      }
      for (size_t b = 0; b < blocks.size(); ++b) {
        const size_t before = blocks[b].columns.size();
        AppendWindow(rows[b], static_cast<int>(b) * shape.block * shape.taps, &blocks[b]);
        columns[b * shape.groups() + g] = static_cast<uint32_t>(blocks[b].columns.size() - before);
      }
    }
  }

  // The weights of `count` outputs that the reader holds, to the rows from `row` on.
  static void Collect(const BlockReader& reader, const PackedShape& shape, int count, int row,
                      std::vector<std::vector<UnstructuredRow>>* rows) {
    const size_t step = static_cast<size_t>(shape.block) * shape.taps;
    for (size_t column = 0; column < reader.columns(); ++column) {
      if (reader.masks()[column] == 0) continue;
      for (int o = 0; o < count; ++o) {
        if ((reader.masks()[column] >> o & 1) == 0) continue;
        UnstructuredRow& to = (*rows)[column / step][row + o];
        to.columns.push_back(static_cast<uint16_t>(column));
        to.values.push_back(reader.values()[column * kMaxGroup + o]);
      }
    }
  }

  void Count(PackedShape* shape) const {
    for (const UnstructuredBlock& b : blocks) {
      shape->column_count += static_cast<uint32_t>(b.columns.size());
      shape->value_count += static_cast<uint32_t>(b.values.size());
    }
  }

  void Put(const PackedWeights& p) const {
    uint32_t* const group_begin = Writable(p.group_begin);
    group_begin[0] = 0;
    for (size_t s = 0; s < columns.size(); ++s) group_begin[s + 1] = group_begin[s] + columns[s];
    uint16_t* column = Writable(p.columns);
    float* value = Writable(p.values);
    OutputPair* pair = Writable(p.pairs);
    for (const UnstructuredBlock& b : blocks) {
      column = std::copy(b.columns.begin(), b.columns.end(), column);
      value = std::copy(b.values.begin(), b.values.end(), value);
      pair = std::copy(b.pairs.begin(), b.pairs.end(), pair);
    }
  }
};

std::shared_ptr<void> Allocate(uint64_t bytes) {
  const bool fits = bytes < std::numeric_limits<size_t>::max() / 2;
  void* const memory = fits ? AllocateAligned(bytes) : nullptr;
  if (memory == nullptr) throw std::bad_alloc();
  return std::shared_ptr<void>(memory, [bytes](void* p) { FreeAligned(p, bytes); });
}

}  // namespace

uint64_t PackedShape::bytes() const {
  return (uint64_t{value_count} + lanes()) * sizeof(float) + (1 + segments()) * sizeof(uint32_t) +
         uint64_t{column_count} * sizeof(uint16_t) + pair_count() * sizeof(OutputPair);
}

PackedWeights::PackedWeights(const PackedShape& shape, std::shared_ptr<const void> memory)
    : PackedShape(shape), storage(std::move(memory)) {
  const float* const first = static_cast<const float*>(storage.get());
  values = {first, value_count};
  bias = {values.end(), static_cast<size_t>(lanes())};
  group_begin = {reinterpret_cast<const uint32_t*>(bias.end()),
                 static_cast<size_t>(1 + segments())};
  columns = {reinterpret_cast<const uint16_t*>(group_begin.end()), column_count};
  pairs = {reinterpret_cast<const OutputPair*>(columns.end()), static_cast<size_t>(pair_count())};
}

bool Plausible(const PackedShape& s) {
  constexpr int kMost = 1 << 24;
  return s.outputs > 0 && s.outputs <= kMost && s.inputs > 0 && s.inputs <= 65536 && s.taps > 0 &&
         s.taps <= 65536 && int64_t{s.inputs} * s.taps <= 65536 && s.block >= 0 &&
         s.block <= s.inputs &&
         (s.unstructured()
              ? s.group == kUnstructuredGroup
              : std::find(kGroupSizes.begin(), kGroupSizes.end(), s.group) != kGroupSizes.end());
}

Status Validate(const PackedWeights& w) {
  const uint32_t columns = static_cast<uint32_t>(w.inputs) * w.taps;
  if (w.group_begin.front() != 0 || w.group_begin.back() != w.column_count) {
    return Status::Error("groups that do not cover the columns");
  }
  for (size_t s = 0; s < w.segments(); ++s) {
    if (w.group_begin[s] > w.group_begin[s + 1]) return Status::Error("groups out of order");
  }
  uint64_t values = w.unstructured() ? 0 : uint64_t{w.column_count} * w.group;
  for (size_t s = 0; w.unstructured() && s < w.segments(); ++s) {
    uint32_t end = w.group_begin[s];
    const size_t count = w.pairs_of(s);
    for (size_t k = 0; k < count; ++k) {
      const OutputPair& pair = w.PairsOf(s)[k];
      if (std::max(pair.output[0], pair.output[1]) >= 2 * count) {
        return Status::Error("an output that is not there");
      }
      end += pair.both + 2 * pair.one;
      values += 2 * (pair.both + pair.one);
    }
    if (end != w.group_begin[s + 1]) return Status::Error("pairs that are not a segment's columns");
  }
  if (values != w.value_count) return Status::Error("values that no column has");
  // Two separate passes: this one over all columns has no branch.
  uint16_t most = 0;
  for (uint16_t column : w.columns) most = std::max(most, column);
  if (!w.columns.empty() && most >= columns) return Status::Error("a column that is not there");
  return Status();
}

Status Pack(const Constant& filter, const float* bias, const ColumnCost& cost,
            PackedWeights* packed) {
  if (filter.shape.size() < 2) return Status::Error("a filter has at least 2 dimensions");
  if (!IsFloat(filter.type)) {
    return Status::Error(std::string("expected a filter of floats, found ") + NameOf(filter.type));
  }
  PackedShape shape;
  shape.outputs = filter.shape.front();
  shape.inputs = filter.shape.back();
  int64_t taps = 1;
  for (size_t d = 1; d + 1 < filter.shape.size(); ++d) taps *= filter.shape[d];
  if (taps * shape.inputs > 65536) {
    return Status::Error("a filter of " + std::to_string(taps * shape.inputs) +
                         " inputs and taps is more than the 65536 that 16 bits can name");
  }
  shape.taps = static_cast<int>(taps);

  BlockReader reader(filter, shape);
  const ColumnCounts counts = CountColumns(&reader);
  const size_t best = CheapestGroup(counts, cost);
  const int block = std::min(cost.block, kUnstructuredColumns / shape.taps);
  std::unique_ptr<const UnstructuredColumns> unstructured;
  if (block > 0 && UnstructuredCost(counts, cost) < counts[best] * cost.of[best]) {
    const int blocks = (shape.inputs + block - 1) / block;
    shape.block = (shape.inputs + blocks - 1) / blocks;
    shape.group = kUnstructuredGroup;
    unstructured = std::make_unique<const UnstructuredColumns>(&reader, shape);
    unstructured->Count(&shape);
  } else {
    shape.group = kGroupSizes[best];
    shape.column_count = static_cast<uint32_t>(counts[best]);
    shape.value_count = shape.column_count * shape.group;
  }

  // A column more: see AppendGroup. (Of the values, that one falls on the bias.)
  const std::shared_ptr<void> memory = Allocate(shape.bytes() + sizeof(uint16_t));
  PackedWeights p(shape, memory);
  if (p.unstructured()) {
    unstructured->Put(p);
  } else {
    PutGroups(&reader, best, p);
  }
  float* const p_bias = Writable(p.bias);
  std::fill_n(p_bias, p.bias.size(), 0.0f);
  if (bias != nullptr) std::copy(bias, bias + p.outputs, p_bias);
  *packed = std::move(p);
  return Status();
}

PackedWeights PackedColumns::Pack(const float* bias) const {
  PackedShape packed = shape;
  packed.column_count = static_cast<uint32_t>(columns.size());
  packed.value_count = static_cast<uint32_t>(values.size());
  const std::shared_ptr<void> memory = Allocate(packed.bytes());
  PackedWeights p(packed, memory);
  std::copy(group_begin.begin(), group_begin.end(), Writable(p.group_begin));
  std::copy(columns.begin(), columns.end(), Writable(p.columns));
  std::copy(values.begin(), values.end(), Writable(p.values));
  std::fill_n(Writable(p.bias), p.bias.size(), 0.0f);
  std::copy(bias, bias + packed.outputs, Writable(p.bias));
  return p;
}

PackedWeights Regroup(const PackedWeights& packed, int group) {
  PackedColumns regrouped;
  regrouped.shape = packed;
  regrouped.shape.group = group;
  for (int first = 0; first < packed.outputs; first += group) {
    const int from = first / packed.group, within = first % packed.group;
    for (uint32_t i = packed.group_begin[from]; i < packed.group_begin[from + 1]; ++i) {
      const float* const values = packed.values.data() + size_t{i} * packed.group + within;
      if (std::all_of(values, values + group, [](float v) { return v == 0.0f; })) continue;
      regrouped.Append(packed.columns[i], values);
    }
    regrouped.EndGroup();
  }
  return regrouped.Pack(packed.bias.data());
}

}  // namespace sbnn
