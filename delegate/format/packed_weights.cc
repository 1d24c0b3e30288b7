#include "delegate/format/packed_weights.h"

#include <algorithm>
#include <string>

namespace sbnn {
namespace {

// Eight outputs at a time: what is scattered here fits a cache, whatever the order of the source.
class BlockReader {
 public:
  BlockReader(const Constant& filter, int outputs, int inputs, int taps)
      : filter_(filter),
        outputs_(outputs),
        inputs_(inputs),
        taps_(taps),
        values_(static_cast<size_t>(inputs) * taps * kMaxGroup),
        masks_(static_cast<size_t>(inputs) * taps) {
    if (filter.sparse()) Bucket();
  }

  int blocks() const { return (outputs_ + kMaxGroup - 1) / kMaxGroup; }

  // Fills values ([column][8]) and masks ([column], bit l: output 8 * block + l is not zero).
  void Read(int block) {
    std::fill(values_.begin(), values_.end(), 0.0f);
    std::fill(masks_.begin(), masks_.end(), 0);
    if (filter_.sparse()) {
      for (size_t i = begin_[block]; i < begin_[block + 1]; ++i)
        Put(entries_[i].slot, entries_[i].value);
      return;
    }
    const int lanes = std::min(kMaxGroup, outputs_ - block * kMaxGroup);
    size_t source = static_cast<size_t>(block) * kMaxGroup * taps_ * inputs_;
    for (int l = 0; l < lanes; ++l) {
      for (int t = 0; t < taps_; ++t) {
        for (int i = 0; i < inputs_; ++i, ++source) {
          const float value = filter_.Value(source);
          if (value != 0.0f) Put((static_cast<uint32_t>(i) * taps_ + t) * kMaxGroup + l, value);
        }
      }
    }
  }

  const std::vector<float>& values() const { return values_; }
  const std::vector<uint8_t>& masks() const { return masks_; }

 private:
  struct Entry {
    uint32_t slot;  // column * 8 + lane
    float value;
  };

  void Put(uint32_t slot, float value) {
    values_[slot] = value;
    masks_[slot / kMaxGroup] |= static_cast<uint8_t>(1u << (slot % kMaxGroup));
  }

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
  std::vector<float> values_;
  std::vector<uint8_t> masks_;
  std::vector<size_t> begin_;
  std::vector<Entry> entries_;
};

template <typename Fn>
void ForEachColumn(const std::vector<uint8_t>& masks, int group, int part, const Fn& fn) {
  const int bits = ((1 << group) - 1) << (part * group);
  for (size_t column = 0; column < masks.size(); ++column) {
    if (masks[column] & bits) fn(column);
  }
}

}  // namespace

size_t PackedWeights::bytes() const {
  return group_begin.size() * sizeof(group_begin[0]) + columns.size() * sizeof(columns[0]) +
         values.size() * sizeof(values[0]) + bias.size() * sizeof(bias[0]);
}

Status Pack(const Constant& filter, const float* bias, const ColumnCost& cost,
            PackedWeights* packed) {
  Status status = Validate(filter);
  if (!status.ok()) return status;
  if (filter.shape.size() < 2) return Status::Error("a filter has at least 2 dimensions");

  PackedWeights p;
  p.outputs = filter.shape.front();
  p.inputs = filter.shape.back();
  int64_t taps = 1;
  for (size_t d = 1; d + 1 < filter.shape.size(); ++d) taps *= filter.shape[d];
  if (taps * p.inputs > 65536) {
    return Status::Error("a filter of " + std::to_string(taps * p.inputs) +
                         " inputs and taps is more than the 65536 that 16 bits can name");
  }
  p.taps = static_cast<int>(taps);

  BlockReader reader(filter, p.outputs, p.inputs, p.taps);
  std::array<size_t, kGroupSizes.size()> column_count{};
  for (int b = 0; b < reader.blocks(); ++b) {
    reader.Read(b);
    for (size_t g = 0; g < kGroupSizes.size(); ++g) {
      for (int part = 0; part < kMaxGroup / kGroupSizes[g]; ++part) {
        ForEachColumn(reader.masks(), kGroupSizes[g], part, [&](size_t) { ++column_count[g]; });
      }
    }
  }
  // From the widest down, so that the wider group wins a tie.
  size_t best = kGroupSizes.size() - 1;
  for (size_t g = kGroupSizes.size() - 1; g-- > 0;) {
    if (column_count[g] * cost.of[g] < column_count[best] * cost.of[best]) best = g;
  }

  p.group = kGroupSizes[best];
  const int groups = (p.outputs + p.group - 1) / p.group;
  p.group_begin.reserve(groups + 1);
  p.group_begin.push_back(0);
  p.columns.reserve(column_count[best]);
  p.values.reserve(column_count[best] * p.group);
  for (int b = 0; b < reader.blocks(); ++b) {
    reader.Read(b);
    for (int part = 0; part < kMaxGroup / p.group; ++part) {
      if (p.groups() == groups) break;
      ForEachColumn(reader.masks(), p.group, part, [&](size_t column) {
        p.columns.push_back(static_cast<uint16_t>(column));
        const float* values = reader.values().data() + column * kMaxGroup + part * p.group;
        p.values.insert(p.values.end(), values, values + p.group);
      });
      p.group_begin.push_back(static_cast<uint32_t>(p.columns.size()));
    }
  }
  p.bias.assign(static_cast<size_t>(groups) * p.group, 0.0f);
  if (bias != nullptr) std::copy(bias, bias + p.outputs, p.bias.begin());
  *packed = std::move(p);
  return Status();
}

}  // namespace sbnn
