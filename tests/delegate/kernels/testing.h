// What the tests of the micro-kernels share. Arrays end, or begin, at unmapped pages where
// kernels.h grants no room, and have exactly the room that it grants.
#ifndef SBNN_TESTS_DELEGATE_KERNELS_TESTING_H_
#define SBNN_TESTS_DELEGATE_KERNELS_TESTING_H_

#include <algorithm>
#include <limits>
#include <vector>

#include "delegate/format/float16.h"
#include "delegate/kernels/table.h"
#include "tests/delegate/guarded.h"

namespace sbnn {

inline constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
inline constexpr float kInfinity = std::numeric_limits<float>::infinity();
inline constexpr Edge kEdges[] = {Edge::kBegin, Edge::kEnd};

struct Limits {
  float lo, hi;
};
inline const std::vector<Limits> kLimits = {
    {-kInfinity, kInfinity}, {0, kInfinity}, {0, 6}, {-1, 1}};

inline double Clamped(double value, Limits limits) {
  return std::min<double>(std::max<double>(value, limits.lo), limits.hi);
}

inline bool IsFp16(const KernelRow& row) { return row.kernels->type == ElementType::kFloat16; }

// The test of each kind of kernel.
void SpmmAsTheReference(const KernelRow& row);
void SpmmUnstructuredAsTheReference(const KernelRow& row);
void SpmvAsTheReference(const KernelRow& row);
void ScaleColumnsAsTheReference(const KernelRow& row);
void DepthwiseAsTheReference(const KernelRow& row);
void DepthwiseDirectAsTheReference(const KernelRow& row);
void DepthwiseTapsAsTheReference(const KernelRow& row);
void PadRowAsTheReference(const KernelRow& row);
void ShiftRowsAsTheReference(const KernelRow& row);
void TransposeAsTheReference(const KernelRow& row);
void SumAsTheReference(const KernelRow& row);
void PoolAsTheReference(const KernelRow& row);
void PoolDirectAsTheReference(const KernelRow& row);
void BinaryAsTheReference(const KernelRow& row);
void UnaryAsTheReference(const KernelRow& row);
void SoftmaxRowsAsTheReference(const KernelRow& row);
void SoftmaxColumnsAsTheReference(const KernelRow& row);
void ResizeAsTheReference(const KernelRow& row);
void ClampAsTheReference(const KernelRow& row);
void NarrowAsTheReference(const KernelRow& row);
void WidenAsTheReference(const KernelRow& row);

}  // namespace sbnn

#endif  // SBNN_TESTS_DELEGATE_KERNELS_TESTING_H_
