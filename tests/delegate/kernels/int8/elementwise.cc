// What goes element by element, or adds elements up.
#include "delegate/kernels/int8/elementwise.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "gtest/gtest.h"
#include "tests/delegate/kernels/int8/testing.h"

namespace sbnn {
namespace int8 {
namespace {

constexpr int kMost = 300;  // elements: more than what any kernel takes at a time, twice

// Two operands and a result; the second operand may be one element, the result the first operand.
struct Operands {
  int count;
  bool scalar, in_place;
  Guarded<int8_t> a, b, y;

  explicit Operands(Random* random)
      : count(random->Int(1, kMost)),
        scalar(random->Chance(0.3)),
        in_place(random->Chance(0.3)),
        a(Bytes(count, -128, random)),
        b(Bytes(scalar ? 1 : count, -128, random)),
        y(count) {}

  int8_t* result() { return in_place ? a.data() : y.data(); }
  int8_t second(int i) const { return b[scalar ? 0 : i]; }
};

int8_t Limited(int64_t number, const Requantization& to) {
  return static_cast<int8_t>(
      std::min<int64_t>(std::max<int64_t>(number + to.zero_point, to.lo), to.hi));
}

}  // namespace

void AddAsTheReference(const KernelRow& row) {
  Random random(31);
  for (int round = 0; round < 200; ++round) {
    Operands o(&random);
    AddArgs args = {};
    args.bias = random.Int(-(1 << 27), 1 << 27);
    args.a_factor = random.Int(-(1 << 21), 1 << 21);
    args.b_factor = random.Int(-(1 << 21), 1 << 21);
    args.shift = random.Int(12, 30);
    args.to = AnyRequantization(&random);
    std::vector<int8_t> want(o.count);
    for (int i = 0; i < o.count; ++i) {
      const int64_t sum =
          args.bias + int64_t{o.a[i]} * args.a_factor + int64_t{o.second(i)} * args.b_factor;
      want[i] = Limited(sum >> args.shift, args.to);
    }
    args.a = o.a.data();
    args.b = o.b.data();
    args.b_is_scalar = o.scalar;
    args.y = o.result();
    args.count = o.count;
    row.kernels->elementwise.add(args);
    ASSERT_EQ(std::vector<int8_t>(args.y, args.y + o.count), want);
    ASSERT_TRUE(o.a.Intact() && o.y.Intact());
  }
}

void MultiplyAsTheReference(const KernelRow& row) {
  Random random(32);
  for (int round = 0; round < 200; ++round) {
    Operands o(&random);
    MultiplyArgs args = {};
    args.a_zero_point = random.Int(-128, 127);
    args.b_zero_point = random.Int(-128, 127);
    args.scale = Scales({0}, &random)[0];
    // (Halves, too: ties go to even numbers, or up.)
    if (random.Chance(0.3)) args.scale = 0.5f;
    args.exact = random.Chance(0.5);
    if (args.exact) args.scale = std::clamp(args.scale, 0x1.0p-16f, 0x1.fp+7f);
    args.to = AnyRequantization(&random);
    std::vector<int8_t> want(o.count);
    for (int i = 0; i < o.count; ++i) {
      const int product = (o.a[i] - args.a_zero_point) * (o.second(i) - args.b_zero_point);
      want[i] = args.exact
                    ? Limited(static_cast<int64_t>(std::floor(double{args.scale} * product + 0.5)),
                              args.to)
                    : Requantized(product, args.scale, args.to);
    }
    args.a = o.a.data();
    args.b = o.b.data();
    args.b_is_scalar = o.scalar;
    args.y = o.result();
    args.count = o.count;
    row.kernels->elementwise.multiply(args);
    ASSERT_EQ(std::vector<int8_t>(args.y, args.y + o.count), want);
    ASSERT_TRUE(o.a.Intact() && o.y.Intact());
  }
}

void LookupAsTheReference(const KernelRow& row) {
  Random random(33);
  for (int round = 0; round < 50; ++round) {
    Operands o(&random);
    const Guarded<int8_t> table(Bytes(256, -128, &random));
    std::vector<int8_t> want(o.count);
    for (int i = 0; i < o.count; ++i) want[i] = table[static_cast<uint8_t>(o.a[i])];
    int8_t* const y = o.result();
    row.kernels->elementwise.lookup(o.a.data(), y, o.count, table.data());
    ASSERT_EQ(std::vector<int8_t>(y, y + o.count), want);
    ASSERT_TRUE(o.a.Intact() && o.y.Intact());
  }
}

void QuantizeAsTheReference(const KernelRow& row) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  Random random(34);
  for (int round = 0; round < 100; ++round) {
    const int count = random.Int(1, kMost);
    Guarded<float> x(count);
    for (float& v : x) {
      // Halves: ties go to even numbers.
      v = static_cast<float>(random.Int(-600, 600)) * random.Pick<float>({0.5f, 0.01f, 1e30f});
      if (random.Chance(0.05)) v = random.Chance(0.5) ? kInfinity : -kInfinity;
    }
    const float inverse = random.Pick<float>({1.0f, 0.1f, 3.0f});
    const Requantization to = {random.Int(-128, 127), -128, 127};
    Guarded<int8_t> y(count);
    row.kernels->elementwise.quantize(x.data(), y.data(), count, inverse, to);
    Guarded<float> back(count);
    const float scale = 0.37f;
    row.kernels->elementwise.dequantize(y.data(), back.data(), count, scale, to.zero_point);
    for (int i = 0; i < count; ++i) {
      const float scaled = x[i] * inverse;
      const double rounded =
          std::nearbyint(std::min(1e6, std::max(-1e6, static_cast<double>(scaled))));
      ASSERT_EQ(y[i], Limited(static_cast<int64_t>(rounded), to)) << scaled;
      ASSERT_EQ(back[i], static_cast<float>(y[i] - to.zero_point) * scale);
    }
    ASSERT_TRUE(y.Intact() && back.Intact());
  }
}

void SumAsTheReference(const KernelRow& row) {
  const Elementwise& kernels = row.kernels->elementwise;
  Random random(35);
  for (int round = 0; round < 100; ++round) {
    const int pixels = random.Int(1, kMost), count = 4 * pixels;
    const Guarded<int8_t> x(Bytes(count + kSlack, -128, &random));
    int32_t sum = 0, of_channel[4] = {};
    for (int i = 0; i < count; ++i) {
      sum += x[i];
      of_channel[i % 4] += x[i];
    }
    ASSERT_EQ(kernels.sum(x.data(), count), sum);
    int32_t found[4];
    kernels.sum_quads(x.data(), pixels, found);
    for (int c = 0; c < 4; ++c) ASSERT_EQ(found[c], of_channel[c]);

    Guarded<int32_t> sums(count);
    for (int i = 0; i < count; ++i) sums[i] = 3 * i;
    kernels.accumulate(x.data(), sums.data(), count);
    for (int i = 0; i < count; ++i) ASSERT_EQ(sums[i], 3 * i + x[i]);
    ASSERT_TRUE(sums.Intact());
  }
}

void MaximumAsTheReference(const KernelRow& row) {
  Random random(36);
  for (int round = 0; round < 50; ++round) {
    const int count = random.Int(1, kMost);
    const Guarded<int8_t> x(Bytes(count, -128, &random));
    const std::vector<int8_t> before = Bytes(count, -128, &random);
    Guarded<int8_t> y(before);
    row.kernels->elementwise.maximum(x.data(), y.data(), count);
    for (int i = 0; i < count; ++i) ASSERT_EQ(y[i], std::max(x[i], before[i]));
    ASSERT_TRUE(y.Intact());
  }
}

void LimitAsTheReference(const KernelRow& row) {
  Random random(37);
  for (int round = 0; round < 50; ++round) {
    const int count = random.Int(1, kMost);
    const std::vector<int8_t> before = Bytes(count, -128, &random);
    const Requantization to = AnyRequantization(&random);
    Guarded<int8_t> y(before);
    row.kernels->elementwise.limit(y.data(), count, static_cast<int8_t>(to.lo),
                                   static_cast<int8_t>(to.hi));
    for (int i = 0; i < count; ++i) {
      ASSERT_EQ(y[i], std::min<int>(std::max<int>(before[i], to.lo), to.hi));
    }
    ASSERT_TRUE(y.Intact());
  }
}

}  // namespace int8
}  // namespace sbnn
