// Functions of single elements.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "delegate/format/float16.h"
#include "delegate/kernels/table.h"
#include "gtest/gtest.h"
#include "tests/delegate/guarded.h"
#include "tests/delegate/kernels/testing.h"
#include "tests/delegate/random.h"

namespace sbnn {
namespace {

double Apply(BinaryKind kind, double a, double b) {
  switch (kind) {
    case BinaryKind::kAdd:
      return a + b;
    case BinaryKind::kSub:
      return a - b;
    case BinaryKind::kMul:
      return a * b;
    case BinaryKind::kDiv:
      return a / b;
    case BinaryKind::kMax:
      return std::max(a, b);
    case BinaryKind::kMin:
      return std::min(a, b);
    case BinaryKind::kPrelu:
      return a < 0 ? a * b : a;
    case BinaryKind::kSquaredDifference:
      return (a - b) * (a - b);
  }
  return 0;
}

template <typename T>
void TestBinary(const KernelRow& row) {
  const Kernels& k = *row.kernels;
  Random random(10);
  for (BinaryKind kind :
       {BinaryKind::kAdd, BinaryKind::kSub, BinaryKind::kMul, BinaryKind::kDiv, BinaryKind::kMax,
        BinaryKind::kMin, BinaryKind::kPrelu, BinaryKind::kSquaredDifference}) {
    for (int count = 0; count <= 3 * k.lanes + 1; ++count) {
      for (int way = 0; way < 8; ++way) {
        const bool scalar = way & 1, swapped = way & 2, in_place = way & 4;
        const Edge edge = kEdges[random.Int(0, 1)];
        Guarded<T> a(count, edge), b(scalar ? 1 : count, edge), y(count, edge);
        // Powers of two, so that quotients are exact.
        for (T& v : a) v = random.Pick<float>({-4, -1, 0.5f, 2, 8});
        for (T& v : b) v = random.Pick<float>({-4, -1, 0.5f, 2, 8});
        const std::vector<float> left(a.begin(), a.end());
        const Limits limits = random.Pick(kLimits);
        T* const out = in_place ? a.data() : y.data();
        k.binary(kind, {a.data(), b.data(), scalar, swapped, out, static_cast<size_t>(count),
                        limits.lo, limits.hi});
        for (int i = 0; i < count; ++i) {
          const float other = b[scalar ? 0 : i];
          const double want = swapped ? Apply(kind, other, left[i]) : Apply(kind, left[i], other);
          ASSERT_EQ(out[i], Clamped(want, limits))
              << "kind " << static_cast<int>(kind) << " of " << left[i] << " and " << other;
        }
        ASSERT_TRUE(a.Intact() && y.Intact());
      }
    }
  }
}

double Apply(UnaryKind kind, double x, double alpha) {
  switch (kind) {
    case UnaryKind::kLogistic:
      return 1 / (1 + std::exp(-x));
    case UnaryKind::kTanh:
      return std::tanh(x);
    case UnaryKind::kHardSwish:
      return x * std::min(6.0, std::max(0.0, x + 3)) / 6;
    case UnaryKind::kLeakyRelu:
      return x < 0 ? alpha * x : x;
    case UnaryKind::kElu:
      return x < 0 ? std::expm1(x) : x;
    case UnaryKind::kSwish:
      return x / (1 + std::exp(-x));
    case UnaryKind::kGelu:
      return x * std::erfc(-x / std::sqrt(2.0)) / 2;
    case UnaryKind::kGeluTanh:
      return x / 2 * (1 + std::tanh(std::sqrt(2 / std::acos(-1.0)) * (x + 0.044715 * x * x * x)));
  }
  return 0;
}

// What a result may be off by: of floats what the functions promise, of float16 their rounding.
template <typename T>
double Tolerance(double value) {
  const bool fp16 = sizeof(T) == sizeof(Float16);
  return fp16 ? 0x1p-24 + 0x1.01p-11 * std::fabs(value) : 4e-7 + 1e-6 * std::fabs(value);
}

template <typename T>
void TestUnary(const KernelRow& row) {
  const Kernels& k = *row.kernels;
  const UnaryKind kinds[] = {UnaryKind::kLogistic,  UnaryKind::kTanh, UnaryKind::kHardSwish,
                             UnaryKind::kLeakyRelu, UnaryKind::kElu,  UnaryKind::kGelu,
                             UnaryKind::kGeluTanh,  UnaryKind::kSwish};
  // Dense where the functions bend, then far out.
  const float far = sizeof(T) == sizeof(Float16) ? 3e4f : 3e38f;
  std::vector<float> xs = {0.0f, -0.0f, 1e-30f, -1e-30f, 1e-4f, -1e-4f,
                           88,   -88,   104,    -104,    far,   -far};
  for (int i = -4000; i <= 4000; ++i) xs.push_back(static_cast<float>(i) * 0.0043f);
  for (UnaryKind kind : kinds) {
    const Guarded<T> x(xs);
    Guarded<T> y(xs.size());
    k.unary(kind, {x.data(), y.data(), xs.size(), 1, 0, 0.25f});
    for (size_t i = 0; i < xs.size(); ++i) {
      const double want = Apply(kind, x[i], 0.25);
      ASSERT_NEAR(y[i], want, Tolerance<T>(want))
          << "kind " << static_cast<int>(kind) << " of " << xs[i];
    }
    for (size_t count = 0; count <= 3 * k.lanes + 1u; ++count) {
      for (Edge edge : kEdges) {
        const size_t rows = 1 + count % 3, stride = count + count % 2 * 5;
        const size_t floats = (rows - 1) * stride + count;
        Guarded<T> from(std::vector<float>(xs.begin() + 3000, xs.begin() + 3000 + floats), edge);
        Guarded<T> to(floats, edge);
        k.unary(kind, {from.data(), to.data(), count, rows, stride, 0.25f});
        k.unary(kind, {from.data(), from.data(), count, rows, stride, 0.25f});  // in place
        for (size_t i = 0; i < floats; ++i) {
          if (i % stride >= count) {
            ASSERT_TRUE(to.Untouched(i)) << "between rows";
            ASSERT_EQ(from[i], x[3000 + i]);
            continue;
          }
          ASSERT_EQ(to[i], y[3000 + i]) << "whole vectors and the last lanes differ";
          ASSERT_EQ(from[i], to[i]);
        }
        ASSERT_TRUE(from.Intact() && to.Intact());
      }
    }
    std::vector<T> nan(k.lanes, T(kNaN));
    k.unary(kind, {nan.data(), nan.data(), nan.size(), 1, 0, 0.25f});
    for (T v : nan)
      ASSERT_TRUE(std::isnan(float{v})) << "kind " << static_cast<int>(kind) << " loses NaN";
  }
}

template <typename T>
void TestClamp(const KernelRow& row) {
  const Kernels& k = *row.kernels;
  Random random(6);
  for (int count = 0; count <= 4 * k.lanes + 3; ++count) {
    for (Edge edge : kEdges) {
      for (const Limits& limits : kLimits) {
        Guarded<T> x(random.Floats(count), edge), y(count, edge);
        const std::vector<float> before(x.begin(), x.end());
        k.clamp({x.data(), y.data(), static_cast<size_t>(count), limits.lo, limits.hi});
        k.clamp({x.data(), x.data(), static_cast<size_t>(count), limits.lo, limits.hi});
        for (int i = 0; i < count; ++i) {
          ASSERT_EQ(y[i], Clamped(before[i], limits));
          ASSERT_EQ(x[i], y[i]) << "in place";
        }
        ASSERT_TRUE(x.Intact() && y.Intact());
      }
    }
  }
}

}  // namespace

void BinaryAsTheReference(const KernelRow& row) {
  IsFp16(row) ? TestBinary<Float16>(row) : TestBinary<float>(row);
}
void UnaryAsTheReference(const KernelRow& row) {
  IsFp16(row) ? TestUnary<Float16>(row) : TestUnary<float>(row);
}
void ClampAsTheReference(const KernelRow& row) {
  IsFp16(row) ? TestClamp<Float16>(row) : TestClamp<float>(row);
}

}  // namespace sbnn
