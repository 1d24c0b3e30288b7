#include "delegate/engine/ops/int8/arithmetic.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "delegate/engine/stock_rounding.h"

namespace sbnn {
namespace {

// Sums: the larger of the two factors gets so many bits.
constexpr int kFactorBits = 20;
constexpr float kLeastFactor = 0x1.0p-10f, kMostFactor = 0x1.0p+8f;
// Products:
constexpr float kLeastScale = 0x1.0p-16f, kMostScale = 0x1.0p+8f;

Status OutOfRange(const char* what, float found) {
  return Status::Error(std::string(what) + " " + std::to_string(found) +
                       " times that of the result, which is too much or too little");
}

}  // namespace

Status Arithmetic::Check(BinaryKind kind, const Quantization& left, const Quantization& right,
                         const Quantization& result) {
  switch (kind) {
    case BinaryKind::kAdd:
    case BinaryKind::kSub:
      for (const Quantization& q : {left, right}) {
        const float factor = q.scale / result.scale;
        if (!(factor >= kLeastFactor && factor < kMostFactor)) {
          return OutOfRange("an operand's scale is", factor);
        }
      }
      return Status();
    case BinaryKind::kMul: {
      const float scale = left.scale * right.scale / result.scale;
      if (scale >= kLeastScale && scale < kMostScale) return Status();
      return OutOfRange("the scale of products is", scale);
    }
    case BinaryKind::kMax:
    case BinaryKind::kMin:
      if (left == result && right == result) return Status();
      return Status::Error("operands and result of different scales");
    case BinaryKind::kPrelu:
      return Status();
    default:
      return Status::Error("an operator of floats");
  }
}

Arithmetic::Arithmetic(BinaryKind kind, const Quantization& left, const Quantization& right,
                       const Quantization& result, float lo, float hi)
    : kind_(kind), left_(left), right_(right) {
  const QuantizedLimits limits = Quantize(lo, hi, result);
  to_ = {result.zero_point, limits.lo, limits.hi};
  const float left_factor = left.scale / result.scale, right_factor = right.scale / result.scale;
  if (kind == BinaryKind::kAdd || kind == BinaryKind::kSub) {
    add_.shift = kFactorBits - std::ilogb(std::max(left_factor, right_factor));
    add_.a_factor = static_cast<int32_t>(std::lrint(std::ldexp(left_factor, add_.shift)));
    add_.b_factor = static_cast<int32_t>(std::lrint(std::ldexp(right_factor, add_.shift)));
    if (kind == BinaryKind::kSub) add_.b_factor = -add_.b_factor;
    add_.bias = (1 << (add_.shift - 1)) - add_.a_factor * left.zero_point -
                add_.b_factor * right.zero_point;
  }
  scale_ = left.scale * right.scale / result.scale;
  positive_ = ToFixedPoint(double{left.scale} / result.scale);
  negative_ = ToFixedPoint(double{left.scale} * right.scale / result.scale);
}

void Arithmetic::Prelu(const int8_t* x, size_t x_step, const int8_t* slope, size_t slope_step,
                       int8_t* y, size_t count) const {
  for (size_t i = 0; i < count; ++i) {
    const int32_t v = x[i * x_step] - left_.zero_point;
    const int32_t factor = slope[i * slope_step] - right_.zero_point;
    const int32_t scaled = v >= 0 ? Multiply(v, positive_) : Multiply(v * factor, negative_);
    y[i] = static_cast<int8_t>(std::clamp(scaled + to_.zero_point, to_.lo, to_.hi));
  }
}

void Arithmetic::operator()(const int8::Elementwise& kernels, const int8_t* left,
                            bool left_is_scalar, const int8_t* right, bool right_is_scalar,
                            int8_t* y, size_t count) const {
  const size_t left_step = left_is_scalar ? 0 : 1, right_step = right_is_scalar ? 0 : 1;
  switch (kind_) {
    case BinaryKind::kAdd:
    case BinaryKind::kSub: {
      int8::AddArgs args = add_;
      args.a = left;
      args.b = right;
      args.b_is_scalar = right_is_scalar;
      if (left_is_scalar) {
        std::swap(args.a, args.b);
        std::swap(args.a_factor, args.b_factor);
        args.b_is_scalar = true;
      }
      args.y = y;
      args.count = count;
      args.to = to_;
      return kernels.add(args);
    }
    case BinaryKind::kMul: {
      int8::MultiplyArgs args = {left,
                                 right,
                                 right_is_scalar,
                                 y,
                                 count,
                                 left_.zero_point,
                                 right_.zero_point,
                                 scale_,
                                 /*exact=*/kStockHasFixedPoint,
                                 to_};
      if (left_is_scalar) {
        std::swap(args.a, args.b);
        std::swap(args.a_zero_point, args.b_zero_point);
        args.b_is_scalar = true;
      }
      return kernels.multiply(args);
    }
    case BinaryKind::kPrelu:
      return Prelu(left, left_step, right, right_step, y, count);
    default:
      for (size_t i = 0; i < count; ++i) {
        const int8_t a = left[i * left_step], b = right[i * right_step];
        y[i] = kind_ == BinaryKind::kMax ? std::max(a, b) : std::min(a, b);
      }
  }
}

}  // namespace sbnn
