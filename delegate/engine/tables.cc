#include "delegate/engine/tables.h"

#include <algorithm>
#include <cmath>

#include "delegate/engine/fixed_point.h"
#include "delegate/engine/stock_rounding.h"

namespace sbnn {
namespace {

int8_t Saturate(int64_t number) {
  return static_cast<int8_t>(std::clamp<int64_t>(number, -128, 127));
}

int16_t Saturate16(int32_t number) {
  return static_cast<int16_t>(std::clamp<int32_t>(number, -32768, 32767));
}

// fn(number - zero point) for each number.
template <typename Fn>
Table MakeTable(const Quantization& in, const Fn& fn) {
  Table table;
  for (int x = -128; x < 128; ++x) {
    table[static_cast<uint8_t>(x)] = Saturate(fn(int32_t{x} - in.zero_point));
  }
  return table;
}

float Apply(UnaryKind kind, float x) {
  switch (kind) {
    case UnaryKind::kLogistic:
      return 1.0f / (1.0f + std::exp(-x));
    case UnaryKind::kTanh:
      return std::tanh(x);
    case UnaryKind::kElu:
      return x < 0.0f ? std::expm1(x) : x;
    case UnaryKind::kGeluTanh:
      return 0.5f * x * (1.0f + std::tanh(0.7978845608f * (x + 0.044715f * x * x * x)));
    default:
      return 0.5f * x * (1.0f + std::erf(x * 0.70710678118f));
  }
}

// A factor in 15 bits and a power of two.
struct Factor16 {
  int16_t multiplier;
  int exponent;

  explicit Factor16(float real) {
    const FixedPoint f = ToFixedPoint(real);
    multiplier = f.multiplier >= INT32_MAX - (1 << 15)
                     ? int16_t{INT16_MAX}
                     : static_cast<int16_t>((f.multiplier + (1 << 15)) >> 16);
    exponent = f.shift;
  }
};

// x * relu6(x + 3) / 6 in 16 bits: the argument has 7 bits more than it came with, the second
// factor is brought from [-3, 3] to [0, 1].
Table HardSwishTable(const Quantization& in, const Quantization& out, Halves halves) {
  const float fine_scale = in.scale * (1.0f / 128.0f);
  const Factor16 to_output(fine_scale / out.scale), to_unit(fine_scale / (3.0f / 32768.0f));
  return MakeTable(in, [&](int32_t x) -> int64_t {
    const auto fine = static_cast<int16_t>(x * 128);
    int16_t unit = fine;
    if (to_unit.exponent > 0) unit = Saturate16(unit * (1 << std::min(15, to_unit.exponent - 1)));
    unit = HighProduct(unit, to_unit.multiplier);
    if (to_unit.exponent > 0) unit = Saturate16(unit * 2);
    if (to_unit.exponent < 0) {
      unit = static_cast<int16_t>(DivideByPowerOfTwo(unit, -to_unit.exponent, halves));
    }
    const int32_t gate = (unit + (1 << 15)) >> 1;
    const int32_t scaled = HighProduct(fine, to_output.multiplier);
    // (Towards zero, or down.)
    const int32_t product =
        halves == Halves::kAway ? gate * scaled / (1 << 15) : (gate * scaled) >> 15;
    // (A power above 1 would be for outputs finer than inputs by far: see CheckHardSwish.)
    return DivideByPowerOfTwo(product, std::max(0, -to_output.exponent), halves) + out.zero_point;
  });
}

// x in 8 bits behind the point, times one of two factors, rounded up from the half.
Table ScaleTable(float positive, float negative, const Quantization& in, const Quantization& out) {
  const long above = std::lrint(256.0f * positive), below = std::lrint(256.0f * negative);
  return MakeTable(in, [&](int32_t x) -> int64_t {
    return (int64_t{x} * (x < 0 ? below : above) + 256 * int64_t{out.zero_point} + 128) >> 8;
  });
}

bool IsIn(float value, float least, float most) { return value >= least && value <= most; }

// The factors that XNNPACK takes.
constexpr float kLeastFactor = 0x1.0p-8f, kMostFactor = 0x1.0p+7f;

Table LeakyReluTable(float alpha, const Quantization& in, const Quantization& out) {
  const float positive = in.scale / out.scale, negative = positive * alpha;
  if (IsIn(positive, kLeastFactor, kMostFactor) && std::fabs(negative) >= kLeastFactor &&
      IsIn(negative, -0x1.FFFC00p+6f, kMostFactor)) {
    return ScaleTable(positive, negative, in, out);
  }
  const FixedPoint above = ToFixedPoint(double{in.scale} / out.scale);
  const FixedPoint below = ToFixedPoint(double{in.scale} * alpha / out.scale);
  return MakeTable(in, [&](int32_t x) -> int64_t {
    return int64_t{Multiply(x, x < 0 ? below : above)} + out.zero_point;
  });
}

}  // namespace

Table FunctionTable(UnaryKind kind, float alpha, const Quantization& in, const Quantization& out,
                    bool was_uint8) {
  if (kind == UnaryKind::kHardSwish) return HardSwishTable(in, out, Halves::kAway);
  if (kind == UnaryKind::kLeakyRelu) return LeakyReluTable(alpha, in, out);
  const float inverse = 1.0f / out.scale;
  if (kind == UnaryKind::kElu || kind == UnaryKind::kLogistic || kind == UnaryKind::kTanh) {
    // (Floats round: what was uint8 has its own numbers.)
    const int above_int8 = was_uint8 ? 128 : 0;
    const auto zero_point = static_cast<float>(out.zero_point + above_int8);
    return MakeTable(in, [&](int32_t x) -> int64_t {
      const float y = Apply(kind, in.scale * static_cast<float>(x));
      const float number = MultiplyAdd(y, inverse, zero_point);
      return static_cast<int64_t>(std::nearbyint(std::clamp(number, -1e6f, 1e6f))) - above_int8;
    });
  }
  return MakeTable(in, [&](int32_t x) -> int64_t {
    const float y = Apply(kind, in.scale * static_cast<float>(x)) * inverse;
    return static_cast<int64_t>(std::round(std::clamp(y, -1e6f, 1e6f))) + out.zero_point;
  });
}

Table ClampTable(float lo, float hi, const Quantization& in, const Quantization& out) {
  const FixedPoint factor = ToFixedPoint(in.scale / out.scale);
  const QuantizedLimits limits = Quantize(lo, hi, out);
  return MakeTable(in, [&](int32_t x) -> int64_t {
    return std::clamp<int64_t>(int64_t{Multiply(x, factor)} + out.zero_point, limits.lo, limits.hi);
  });
}

Table HardSwishTableOfVectors(const Quantization& in, const Quantization& out) {
  return HardSwishTable(in, out, Halves::kUp);
}

Table ConvertTable(const Quantization& in, const Quantization& out, Halves halves) {
  const FixedPoint factor = ToFixedPoint(double{in.scale} / out.scale);
  return MakeTable(in, [&](int32_t x) -> int64_t {
    return int64_t{Multiply(x, factor, halves)} + out.zero_point;
  });
}

bool RequantizesInXnnpack(const Quantization& in, const Quantization& out) {
  return IsIn(in.scale / out.scale, kLeastFactor, kMostFactor);
}

Table RequantizeTable(const Quantization& in, const Quantization& out) {
  const float factor = in.scale / out.scale;
  return ScaleTable(factor, factor, in, out);
}

Table RescaleTable(const Quantization& in, const Quantization& out) {
  // The arithmetic is that of uint8.
  constexpr float kShift = 128;
  const float scale = in.scale * (1.0f / out.scale);
  const float bias = -(static_cast<float>(in.zero_point) + kShift) * scale;
  Table table;
  for (int x = -128; x < 128; ++x) {
    const float y = std::round((static_cast<float>(x) + kShift) * scale + bias);
    table[static_cast<uint8_t>(x)] =
        Saturate(static_cast<int64_t>(std::clamp(y, -1e6f, 1e6f)) + out.zero_point);
  }
  return table;
}

std::array<float, 256> RealTable(const Quantization& q) {
  std::array<float, 256> table;
  for (int x = -128; x < 128; ++x) {
    table[static_cast<uint8_t>(x)] = static_cast<float>(x - q.zero_point) * q.scale;
  }
  return table;
}

}  // namespace sbnn
