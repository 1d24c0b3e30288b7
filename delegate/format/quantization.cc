#include "delegate/format/quantization.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>

namespace sbnn {
namespace {

// No network has others, and quotients of these are numbers.
constexpr float kLeastScale = 1e-18f, kMostScale = 1e18f;

constexpr int kSignBit = 128;  // of 8 bits

}  // namespace

Status Validate(const Quantization& q, ElementType type) {
  if (!(q.scale >= kLeastScale && q.scale <= kMostScale)) {
    char found[32];  // (A stream would bring half of the C++ library into the browser.)
    std::snprintf(found, sizeof(found), "%g", static_cast<double>(q.scale));
    return Status::Error(std::string("expected a scale from 1e-18 to 1e+18, found ") + found);
  }
  const bool bytes = BytesOf(type) == 1;
  const int least = type == ElementType::kInt8 ? -128 : 0, most = least + (bytes ? 255 : 0);
  if (q.zero_point < least || q.zero_point > most) {
    return Status::Error("expected a zero point from " + std::to_string(least) + " to " +
                         std::to_string(most) + ", found " + std::to_string(q.zero_point));
  }
  return Status();
}

Status Validate(const ChannelQuantization& q, ElementType type, const std::vector<int>& shape) {
  if (q.axis < 0 || q.axis >= static_cast<int>(shape.size())) {
    return Status::Error("scales along dimension " + std::to_string(q.axis) + " of " +
                         std::to_string(shape.size()));
  }
  const size_t slices = static_cast<size_t>(shape[q.axis]);
  if (q.scales.size() != q.zero_points.size() ||
      (q.scales.size() != 1 && q.scales.size() != slices)) {
    return Status::Error("expected 1 or " + std::to_string(slices) +
                         " scales and zero points, found " + std::to_string(q.scales.size()) +
                         " and " + std::to_string(q.zero_points.size()));
  }
  for (size_t i = 0; i < q.scales.size(); ++i) {
    const Status status = Validate({q.scales[i], q.zero_points[i]}, type);
    if (!status.ok()) return status;
  }
  return Status();
}

TensorType Inside(const TensorType& outside) {
  if (outside.element != ElementType::kUint8) return outside;
  return {ElementType::kInt8,
          {outside.quantization.scale, outside.quantization.zero_point - kSignBit}};
}

int8_t NearestNumber(float value, const Quantization& q) {
  const float number = std::round(value / q.scale) + static_cast<float>(q.zero_point);
  return static_cast<int8_t>(std::min(127.0f, std::max(-128.0f, number)));
}

QuantizedLimits Quantize(float lo, float hi, const Quantization& quantization) {
  return {NearestNumber(lo, quantization), NearestNumber(hi, quantization)};
}

}  // namespace sbnn
