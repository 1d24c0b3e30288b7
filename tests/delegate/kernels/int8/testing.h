// What the tests of the int8 micro-kernels share. Arrays end, or begin, at unmapped pages where
// kernels.h grants no room.
#ifndef SBNN_TESTS_DELEGATE_KERNELS_INT8_TESTING_H_
#define SBNN_TESTS_DELEGATE_KERNELS_INT8_TESTING_H_

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "delegate/kernels/int8/table.h"
#include "tests/delegate/guarded.h"
#include "tests/delegate/random.h"

namespace sbnn {
namespace int8 {

inline constexpr Edge kEdges[] = {Edge::kBegin, Edge::kEnd};

// Steps of each group; whole quads of outputs for any group.
inline const std::vector<std::vector<int>> kGroupSteps = {
    {1, 1, 1, 1}, {0, 2, 1, 0}, {7, 0, 3, 5, 1, 0, 0, 33}, {0, 0, 0, 0}};

inline std::vector<uint32_t> Begin(const std::vector<int>& sizes) {
  std::vector<uint32_t> begin = {0};
  for (int s : sizes) begin.push_back(begin.back() + static_cast<uint32_t>(s));
  return begin;
}

// Numbers of [low, 127]: any, or nothing but the extremes.
inline std::vector<int8_t> Bytes(size_t count, int low, Random* random) {
  std::vector<int8_t> bytes(count);
  const bool extreme = random->Chance(0.3);
  for (int8_t& b : bytes) {
    b = static_cast<int8_t>(!extreme ? random->Int(low, 127) : random->Chance(.5) ? low : 127);
  }
  return bytes;
}

// Some so large that sums wrap if the products' offset is taken back with less than 32 bits.
inline std::vector<int32_t> Biases(size_t count, Random* random) {
  std::vector<int32_t> biases(count);
  const int most = random->Chance(0.3) ? 2000000000 : 20000;
  for (int32_t& b : biases) b = random->Int(-most, most);
  return biases;
}

// From those that leave nothing of a sum to those that leave no sum within limits; where the biases
// are small, more than 1. (No scaled sum is as much as 2^31.)
inline std::vector<float> Scales(const std::vector<int32_t>& biases, Random* random) {
  std::vector<float> scales(biases.size());
  const bool large = std::any_of(biases.begin(), biases.end(),
                                 [](int32_t b) { return b > 1000000 || b < -1000000; });
  const float unit = random->Pick<float>({1e-9f, 1e-4f, 2e-3f, 0.5f, large ? 0.1f : 100.0f});
  for (float& s : scales) s = unit * (1 + 0.01f * static_cast<float>(random->Int(0, 99)));
  return scales;
}

inline Requantization AnyRequantization(Random* random) {
  const int zero_point = random->Pick<int>({-128, -3, 0, 17, 127});
  const int lo = random->Chance(0.5) ? -128 : random->Int(-128, 100);
  return {zero_point, lo, random->Chance(0.5) ? 127 : random->Int(lo, 127)};
}

inline int8_t Requantized(int64_t sum, float scale, const Requantization& to) {
  // (XNNPACK's: both numbers are floats before they are multiplied.)
  const float product = static_cast<float>(static_cast<int32_t>(sum)) * scale;
  const double rounded = std::nearbyint(static_cast<double>(product)) + to.zero_point;
  return static_cast<int8_t>(std::min<double>(std::max<double>(rounded, to.lo), to.hi));
}

// A bias for products that see inputs by so much greater: of the sum of an output's weights.
inline int32_t LessOffset(int32_t bias, int64_t weights, int32_t offset) {
  return static_cast<int32_t>(static_cast<uint32_t>(bias - weights * offset));
}

// The test of each kind of kernel.
void SpmmAsTheReference(const KernelRow& row);
void SpmvAsTheReference(const KernelRow& row);
void SpmmToFloatsAsTheReference(const KernelRow& row);
void SpmvToFloatsAsTheReference(const KernelRow& row);
void RangesAsTheReference(const KernelRow& row);
void RoundingsAsTheReference(const KernelRow& row);
void RoundToAsTheReference(const KernelRow& row);
void RoundAwayAsTheReference(const KernelRow& row);
void ScaleAsTheReference(const KernelRow& row);
void DepthwiseAsTheReference(const KernelRow& row);
void DepthwiseAnyAsTheReference(const KernelRow& row);
void ShiftRowsAsTheReference(const KernelRow& row);
void GatherAsTheReference(const KernelRow& row);
void RelayoutAsTheReference(const KernelRow& row);
void AddAsTheReference(const KernelRow& row);
void MultiplyAsTheReference(const KernelRow& row);
void LookupAsTheReference(const KernelRow& row);
void QuantizeAsTheReference(const KernelRow& row);
void SumAsTheReference(const KernelRow& row);
void MaximumAsTheReference(const KernelRow& row);
void LimitAsTheReference(const KernelRow& row);

}  // namespace int8
}  // namespace sbnn

#endif  // SBNN_TESTS_DELEGATE_KERNELS_INT8_TESTING_H_
