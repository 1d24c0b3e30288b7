// Weights in the order in which the kernels read them: groups of outputs, and for each group the
// columns (one kept input and tap, `group` values) that are not all zero.
#ifndef SBNN_DELEGATE_FORMAT_PACKED_WEIGHTS_H_
#define SBNN_DELEGATE_FORMAT_PACKED_WEIGHTS_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "delegate/format/constant.h"
#include "delegate/format/status.h"

namespace sbnn {

// The widths that a column may have. A wider pattern is stored as several groups with equal
// indices.
constexpr std::array<int, 4> kGroupSizes = {1, 2, 4, 8};
constexpr int kMaxGroup = 8;

// Of unstructured weights (see PackedWeights::pairs): the size of their groups, and the most
// columns that a block of inputs has.
constexpr int kUnstructuredGroup = 128;
constexpr int kUnstructuredColumns = 255;

// Two outputs of unstructured weights in a block of inputs.
struct OutputPair {
  uint8_t output[2];  // of the group
  uint8_t both;       // so many columns serve both outputs; then,
  uint8_t one;        // so many times, one serves the first and the next one the second
};

// What packing depends on. Times are those of one vector of pixels, in any unit. (No std::array:
// the kernels' sources must not call inline functions of the library.)
struct ColumnCost {
  float of[4];  // a column, for each of kGroupSizes
  // Of unstructured weights:
  float unstructured_weight = 0;  // a weight
  float unstructured_column = 0;  // a column of two outputs, beside their weights
  int block = 0;  // inputs whose part of a tile fits the L1 cache; 0: weights stay structured
};

// For weights that are to be taken apart.
inline ColumnCost Structured(ColumnCost cost) {
  cost.block = 0;
  return cost;
}

// For the product with just one vector: the bytes of a column and a little for itself, since
// weights are read once and come from far away.
constexpr ColumnCost kOneVectorCost = {{7, 11, 22, 36}, 0, 0, 0};

// An array that something else owns.
template <typename T>
class View {
 public:
  View() = default;
  View(const T* data, size_t size) : data_(data), size_(size) {}
  const T* data() const { return data_; }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  const T& operator[](size_t i) const { return data_[i]; }
  const T& front() const { return data_[0]; }
  const T& back() const { return data_[size_ - 1]; }
  const T* begin() const { return data_; }
  const T* end() const { return data_ + size_; }

 private:
  const T* data_ = nullptr;
  size_t size_ = 0;
};

// The sizes of packed weights, which say how they lie in memory: values, bias, group_begin,
// columns, pairs, one behind the other.
struct PackedShape {
  int32_t outputs = 0;
  int32_t inputs = 0;
  int32_t taps = 1;
  int32_t group = 1;
  int32_t block = 0;  // inputs of a block of unstructured weights; 0: structured
  uint32_t column_count = 0;
  uint32_t value_count = 0;

  bool unstructured() const { return block > 0; }
  int groups() const { return (outputs + group - 1) / group; }
  // Outputs and what fills up the last group; of unstructured weights, the last pair.
  int lanes() const { return unstructured() ? (outputs + 1) / 2 * 2 : groups() * group; }
  int blocks() const { return unstructured() ? (inputs + block - 1) / block : 1; }
  // A damaged file may say anything: products need 64 bits everywhere.
  uint64_t segments() const { return static_cast<uint64_t>(blocks()) * groups(); }
  uint64_t pair_count() const {
    return unstructured() ? static_cast<uint64_t>(blocks()) * lanes() / 2 : 0;
  }
  uint64_t bytes() const;
};

// A segment is a group's columns in one block of inputs; segments go block by block, and in each
// group by group. Structured weights are one block.
struct PackedWeights : PackedShape {
  View<uint32_t> group_begin;  // [segments + 1] first column of each segment
  View<uint16_t> columns;  // input * taps + tap; unless unstructured, increasing within a segment
  View<float> values;      // [columns][group], or if unstructured two for each step of a pair
  View<float> bias;        // [lanes], zero behind the last output
  // Of unstructured weights only, those of a segment together: its columns and values belong to one
  // pair after the other. First come the columns that both outputs have, with two values each, then
  // as many of either output alone, by turns, with one value each. (Where one has fewer, it is
  // given columns of the other and zeros.) An odd number of outputs has one more behind it, of
  // zeros.
  View<OutputPair> pairs;

  // The number of a segment's pairs, and the first of them.
  size_t pairs_of(size_t segment) const {
    const int first_output = static_cast<int>(segment % groups()) * kUnstructuredGroup;
    return static_cast<size_t>(std::min(kUnstructuredGroup, lanes() - first_output)) / 2;
  }
  const OutputPair* PairsOf(size_t segment) const {
    const size_t of_block = segment / groups() * (lanes() / 2);
    return pairs.data() + of_block + segment % groups() * (kUnstructuredGroup / 2);
  }

  std::shared_ptr<const void> storage;  // keeps alive what the views show

  PackedWeights() = default;
  // Views `memory`, shape.bytes() of it, aligned to a float. What it says is not checked.
  PackedWeights(const PackedShape& shape, std::shared_ptr<const void> memory);
};

// Whether sizes are such that no arithmetic on them goes wrong; and whether the indices stay inside
// of them, so that no kernel is led astray. For packed weights that come from a file.
bool Plausible(const PackedShape& shape);
Status Validate(const PackedWeights& weights);

// Packs a filter of shape [outputs, ..., inputs] (OHWI, or OI) that passed Validate; the dimensions
// between are the taps, row-major. The group, or unstructured weights, is what `cost` makes
// cheapest for the zeros found. `bias` has `outputs` values or is null. Throws std::bad_alloc.
Status Pack(const Constant& filter, const float* bias, const ColumnCost& cost,
            PackedWeights* packed);

// Structured weights in the making: what is known of `shape` but the columns, which are
// appended group by group.
struct PackedColumns {
  PackedShape shape;
  std::vector<uint32_t> group_begin = {0};
  std::vector<uint16_t> columns;
  std::vector<float> values;

  void Append(uint16_t column, const float* group_values) {
    columns.push_back(column);
    values.insert(values.end(), group_values, group_values + shape.group);
  }
  void EndGroup() { group_begin.push_back(static_cast<uint32_t>(columns.size())); }
  // `bias` has `outputs` values at least. Throws std::bad_alloc.
  PackedWeights Pack(const float* bias) const;
};

// The same in groups of `group`, a divisor of `packed.group`. They must be structured.
PackedWeights Regroup(const PackedWeights& packed, int group);

}  // namespace sbnn

#endif  // SBNN_DELEGATE_FORMAT_PACKED_WEIGHTS_H_
