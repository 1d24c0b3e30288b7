// Weights in the order in which the kernels read them: groups of outputs, and for each group the
// columns (one kept input and tap, `group` values) that are not all zero.
#ifndef SBNN_DELEGATE_FORMAT_PACKED_WEIGHTS_H_
#define SBNN_DELEGATE_FORMAT_PACKED_WEIGHTS_H_

#include <array>
#include <cstddef>
#include <cstdint>
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

struct PackedWeights {
  int outputs = 0;
  int inputs = 0;
  int taps = 1;
  int group = 1;
  std::vector<uint32_t> group_begin;  // [groups + 1] first column of each group
  std::vector<uint16_t> columns;      // input * taps + tap, increasing within a group
  std::vector<float> values;          // [columns][group]
  std::vector<float> bias;            // [groups * group], zero behind the last output

  int groups() const { return static_cast<int>(group_begin.size()) - 1; }
  size_t bytes() const;
};

// Packs a filter of shape [outputs, ..., inputs] (OHWI, or OI); the dimensions between are the
// taps, row-major. The group is the one that `cost` makes cheapest for the zeros found. `bias` has
// `outputs` values or is null.
Status Pack(const Constant& filter, const float* bias, const ColumnCost& cost,
            PackedWeights* packed);

}  // namespace sbnn

#endif  // SBNN_DELEGATE_FORMAT_PACKED_WEIGHTS_H_
