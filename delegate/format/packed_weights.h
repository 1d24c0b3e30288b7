// Weights in the order in which the kernels read them: groups of outputs, and for each group the
// columns (one kept input and tap, `group` values) that are not all zero.
#ifndef SBNN_DELEGATE_FORMAT_PACKED_WEIGHTS_H_
#define SBNN_DELEGATE_FORMAT_PACKED_WEIGHTS_H_

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

// Time of one column on a vector of pixels, for each of kGroupSizes, in any unit. (No std::array:
// the kernels' sources must not call inline functions of the library.)
struct ColumnCost {
  float of[4];
};

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
// columns, one behind the other.
struct PackedShape {
  int32_t outputs = 0;
  int32_t inputs = 0;
  int32_t taps = 1;
  int32_t group = 1;
  uint32_t column_count = 0;

  int groups() const { return (outputs + group - 1) / group; }
  size_t bytes() const;
};

struct PackedWeights : PackedShape {
  View<uint32_t> group_begin;  // [groups + 1] first column of each group
  View<uint16_t> columns;      // input * taps + tap, increasing within a group
  View<float> values;          // [columns][group]
  View<float> bias;            // [groups * group], zero behind the last output

  std::shared_ptr<const void> storage;  // keeps alive what the views show

  PackedWeights() = default;
  // Views `memory`, shape.bytes() of it, aligned to a float. What it says is not checked.
  PackedWeights(const PackedShape& shape, std::shared_ptr<const void> memory);
};

// Whether the indices stay inside the sizes, so that no kernel is led astray. For packed weights
// that come from a file.
Status Validate(const PackedWeights& weights);

// Packs a filter of shape [outputs, ..., inputs] (OHWI, or OI) that passed Validate; the dimensions
// between are the taps, row-major. The group is the one that `cost` makes cheapest for the zeros
// found. `bias` has `outputs` values or is null. Throws std::bad_alloc.
Status Pack(const Constant& filter, const float* bias, const ColumnCost& cost,
            PackedWeights* packed);

// Packed weights in the making: what is known of `shape` but the columns, which are appended group
// by group.
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

// The same in groups of `group`, a divisor of `packed.group`.
PackedWeights Narrow(const PackedWeights& packed, int group);

}  // namespace sbnn

#endif  // SBNN_DELEGATE_FORMAT_PACKED_WEIGHTS_H_
