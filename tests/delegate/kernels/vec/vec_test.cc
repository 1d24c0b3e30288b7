// The vectors of every instruction set against what delegate/kernels/vec/vec.h says of them. Arrays
// end at unmapped pages where nothing behind the last element may be touched. Numbers are small and
// whole, so that results are exact in every type, fused or not.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "delegate/format/float16.h"
#include "delegate/kernels/table.h"
#include "gtest/gtest.h"
#include "tests/delegate/guarded.h"
#include "tests/delegate/random.h"
#include "tests/delegate/kernels/vec/operations.h"

namespace sbnn {

void PrintTo(const VecOperations* o, std::ostream* out) { *out << o->isa; }

namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Those that this CPU can run.
std::vector<const VecOperations*> Available() {
  std::vector<const VecOperations*> found;
  [[maybe_unused]] const auto add = [&](const char* isa, const VecOperations& (*of)()) {
    const Kernels* const kernels = FindKernels(isa);
    if (kernels != nullptr) found.push_back(&of());
  };
#if defined(__wasm__)
  found.push_back(&wasm::Operations());
#else
  add("scalar", &scalar::Operations);
#endif
#if defined(__x86_64__)
  add("avx2", &avx2::Operations);
  add("avx512", &avx512::Operations);
#elif defined(__aarch64__)
  add("neon", &neon::Operations);
  if (KernelsFor(*FindKernels("neon"), ElementType::kFloat16) != nullptr)
    found.push_back(&neon_fp16::Operations());
#elif defined(__arm__)
  add("neon", &neon::Operations);
#endif
  return found;
}

// One test body for both types: T is float or Float16.
template <typename T>
class Checks {
 public:
  explicit Checks(const VecOperations& o) : o_(o), lanes_(static_cast<size_t>(o.lanes)) {}

  void All() {
    Memory();
    Masks();
    Arithmetic();
    Limits();
    Scalars();
    Lanes();
    Outputs();
  }

 private:
  using Values = std::vector<float>;

  Values Some(size_t count) { return random_.Floats(count); }
  Values NonZeros(size_t count) {
    Values values(count);
    for (float& v : values) v = random_.NonZero();
    return values;
  }

  // What a function writes into `count` elements that end at an unmapped page.
  template <typename Fn>
  Values Result(size_t count, const Fn& fn) {
    Guarded<T> out(count);
    fn(out.data());
    EXPECT_TRUE(out.Intact());
    return Values(out.begin(), out.end());
  }

  void Expect(const Values& found, const Values& want, const std::string& what) {
    ASSERT_EQ(found.size(), want.size()) << what;
    for (size_t i = 0; i < want.size(); ++i) {
      if (std::isnan(want[i])) {
        ASSERT_TRUE(std::isnan(found[i])) << what << ", lane " << i << ": " << found[i];
      } else {
        ASSERT_EQ(found[i], want[i]) << what << ", lane " << i;
      }
    }
  }

  void Memory() {
    const Values values = Some(lanes_);
    const Guarded<T> a(values);  // (Its elements begin anywhere.)
    Expect(Result(lanes_, [&](T* out) { o_.load_and_store(a.data(), out); }), values, "Load");
    Expect(Result(lanes_, [&](T* out) { o_.keep(a.data(), out); }), values, "Keep");
    for (size_t n = 1; n < lanes_; ++n) {
      const std::string of = " of " + std::to_string(n);
      const Values first(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(n));
      const Guarded<T> few(first);
      Values padded = first;
      padded.resize(lanes_, 0.0f);
      Expect(Result(lanes_, [&](T* out) { o_.load_first(few.data(), static_cast<int>(n), out); }),
             padded, "LoadFirst" + of);
      Expect(Result(n, [&](T* out) { o_.store_first(a.data(), static_cast<int>(n), out); }), first,
             "StoreFirst" + of);
    }
    const Values many = Some(3 * lanes_);
    const Guarded<T> thirds(Values(many.begin(), many.end() - (o_.exact_thirds ? 2 : 0)));
    Values want;
    for (size_t i = 0; i < lanes_; ++i) want.push_back(many[3 * i]);
    Expect(Result(lanes_, [&](T* out) { o_.load_thirds(thirds.data(), out); }), want, "LoadThirds");
  }

  void Masks() {
    const Values values = NonZeros(lanes_), other = NonZeros(lanes_);
    const Guarded<T> a(values), b(other);
    const int lanes = static_cast<int>(lanes_);
    std::vector<int> bounds = {-(1 << 20), 1 << 20};
    for (int i = -2; i <= lanes + 2; ++i) bounds.push_back(i);
    for (int first : bounds) {
      for (int end : bounds) {
        Values want(lanes_, 0.0f), blended = other;
        for (int i = std::max(0, first); i < std::min(end, lanes); ++i) {
          want[i] = blended[i] = values[i];
        }
        const std::string of = " " + std::to_string(first) + " to " + std::to_string(end);
        Expect(Result(lanes_, [&](T* out) { o_.load_masked(a.data(), first, end, out); }), want,
               "LoadMasked" + of);
        Expect(Result(lanes_, [&](T* out) { o_.blend(a.data(), b.data(), first, end, out); }),
               blended, "Blend" + of);
        if (o_.masked == nullptr) continue;
        Expect(Result(lanes_, [&](T* out) { o_.masked(a.data(), first, end, out); }), want,
               "Masked" + of);
      }
    }
  }

  template <typename Fn>
  void Each(VecOperations::Binary binary, const Values& a, const Values& b, const Fn& fn,
            const char* name) {
    const Guarded<T> x(a), y(b);
    Values want;
    for (size_t i = 0; i < lanes_; ++i) want.push_back(fn(a[i], b[i]));
    Expect(Result(lanes_, [&](T* out) { binary(x.data(), y.data(), out); }), want, name);
  }

  void Arithmetic() {
    for (int round = 0; round < 20; ++round) {
      const Values a = Some(lanes_), b = Some(lanes_), c = Some(lanes_);
      Each(o_.add, a, b, [](float x, float y) { return x + y; }, "Add");
      Each(o_.sub, a, b, [](float x, float y) { return x - y; }, "Sub");
      Each(o_.mul, a, b, [](float x, float y) { return x * y; }, "Mul");
      Each(o_.max, a, b, [](float x, float y) { return x > y ? x : y; }, "Max");
      Each(o_.min, a, b, [](float x, float y) { return x < y ? x : y; }, "Min");
      Values powers(lanes_);
      for (float& v : powers) v = std::ldexp(1.0f, random_.Int(-2, 2));
      Each(o_.div, a, powers, [](float x, float y) { return x / y; }, "Div");
      const Guarded<T> x(a), y(b), z(c);
      Values want;
      for (size_t i = 0; i < lanes_; ++i) want.push_back(a[i] * b[i] + c[i]);
      Expect(Result(lanes_, [&](T* out) { o_.fma(x.data(), y.data(), z.data(), out); }), want,
             "Fma");
      const Guarded<T> one(Values{a[0]});
      Expect(Result(lanes_, [&](T* out) { o_.set(one.data(), out); }), Values(lanes_, a[0]), "Set");
    }
    if (o_.power_of_two == nullptr) return;
    const int steps = o_.steps_of_two;
    for (int n = -126 * steps; n < 127 * steps; ++n) {
      const double exponent = static_cast<double>(n) / steps;
      const Guarded<float> in(Values(lanes_, static_cast<float>(exponent)));
      Guarded<float> out(lanes_);
      o_.power_of_two(in.data(), out.data());
      for (float found : out) ASSERT_NEAR(found / std::exp2(exponent), 1, 1e-7) << exponent;
    }
  }

  // NaN in the second stays NaN, wherever it is.
  void Limits() {
    for (size_t at = 0; at < lanes_; ++at) {
      for (float special : {kNaN, kInfinity, -kInfinity}) {
        Values x = Some(lanes_);
        x[at] = special;
        const Values bound(lanes_, 1.0f);
        Each(o_.max, bound, x, [](float b, float v) { return v < b ? b : v; }, "Max");
        Each(o_.min, bound, x, [](float b, float v) { return v > b ? b : v; }, "Min");
      }
    }
  }

  void Scalars() {
    for (int kind = 0; kind < 4; ++kind) {
      const size_t count = size_t{1} << kind;
      const Values a = Some(lanes_), s = Some(count), c = Some(lanes_);
      const Guarded<T> x(a), y(s), z(c);
      Values want;
      for (float by : s) {
        for (size_t i = 0; i < lanes_; ++i) want.push_back(a[i] * by + c[i]);
      }
      Expect(Result(count * lanes_,
                    [&](T* out) { o_.fma_scalars[kind](x.data(), y.data(), z.data(), out); }),
             want, "FmaScalar of " + std::to_string(count));
    }
    const Values two = NonZeros(2);
    const Guarded<T> in(two);
    Values want(lanes_, two[0]);
    want.resize(2 * lanes_, two[1]);
    Expect(Result(2 * lanes_, [&](T* out) { o_.two_sets(in.data(), out); }), want, "TwoSets");
  }

  void Lanes() {
    Values both(2 * lanes_);
    for (size_t i = 0; i < both.size(); ++i) both[i] = static_cast<float>(i + 1);
    const auto middle = both.begin() + static_cast<std::ptrdiff_t>(lanes_);
    const Values low(both.begin(), middle), high(middle, both.end());
    const Guarded<T> a(low), b(high);
    Values want_even, want_odd;
    for (size_t i = 0; i < lanes_; ++i) {
      want_even.push_back(both[2 * i]);
      want_odd.push_back(both[2 * i + 1]);
    }
    Guarded<T> even(lanes_);
    Expect(Result(lanes_, [&](T* odd) { o_.deinterleave(a.data(), b.data(), even.data(), odd); }),
           want_odd, "Deinterleave, odd");
    Expect(Values(even.begin(), even.end()), want_even, "Deinterleave, even");
    for (std::ptrdiff_t n = 1; n <= 4; ++n) {
      Expect(Result(lanes_, [&](T* out) { o_.shifted[n - 1](a.data(), b.data(), out); }),
             Values(both.begin() + n, middle + n), "Shifted by " + std::to_string(n));
    }
    if (o_.permute != nullptr) {
      const int last = static_cast<int>(lanes_) - 1;
      for (int round = 0; round < 20; ++round) {
        const int first = random_.Int(-3, 100);
        std::vector<int32_t> lanes;
        Values want;
        for (size_t i = 0; i < lanes_; ++i) {
          const int lane = random_.Int(0, last);
          lanes.push_back(first + lane);
          want.push_back(low[lane]);
        }
        const Guarded<int32_t> from(lanes);
        const Guarded<float> numbers(low);
        Guarded<float> out(lanes_);
        o_.permute(numbers.data(), from.data(), first, out.data());
        Expect(Values(out.begin(), out.end()), want, "Permute");
      }
    }
    float sum = 0, all = 0;
    for (float v : low) sum += v;
    for (float v : both) all += v;
    EXPECT_EQ(o_.add_lanes(a.data()), sum);
    EXPECT_EQ(o_.add_wide(a.data(), b.data()), all);
    Expect(Result(4, [&](T* out) { o_.first_four(a.data(), out); }),
           Values(both.begin(), both.begin() + 4), "FirstFour");
  }

  void Outputs() {
    for (int kind = 0; kind < 3; ++kind) {
      const size_t count = size_t{2} << kind;
      const std::string of = " of " + std::to_string(count);
      const Values w = Some(count), x = Some(1), sum = Some(count);
      const Guarded<T> weights(w), by(x), before(sum);
      Values once, all;
      for (size_t i = 0; i < count; ++i) {
        once.push_back(sum[i] + w[i] * x[0]);
        all.push_back(2 * once[i] + (i + 1 == count ? sum[i] : 0));
      }
      const auto result = [&](VecOperations::Ternary fn) {
        return Result(count, [&](T* out) { fn(weights.data(), by.data(), before.data(), out); });
      };
      Expect(result(o_.add_scaled[kind]), once, "AddScaled" + of);
      Expect(result(o_.outputs[kind]), all, "Outputs" + of);
    }
    const Values w = Some(4), x = Some(4), sum = Some(4);
    const Guarded<T> weights(w), by(x), before(sum);
    Values want;
    for (size_t i = 0; i < 4; ++i) want.push_back(sum[i] + w[i] * x[i]);
    Expect(
        Result(4, [&](T* out) { o_.add_products(weights.data(), by.data(), before.data(), out); }),
        want, "AddProducts");
  }

  const VecOperations& o_;
  const size_t lanes_;
  Random random_{1};
};

class EveryVec : public testing::TestWithParam<const VecOperations*> {};

TEST_P(EveryVec, DoesWhatThePageSays) {
  const VecOperations& o = *GetParam();
  if (o.element_bytes == sizeof(Float16)) {
    Checks<Float16>(o).All();
  } else {
    Checks<float>(o).All();
  }
}

TEST_P(EveryVec, HasConstantsThatFit) {
  const VecOperations& o = *GetParam();
  EXPECT_TRUE(o.lanes == 4 || o.lanes == 8 || o.lanes == 16);
  EXPECT_LE(o.lanes, kMaxLanes);
  EXPECT_TRUE(o.registers == 15 || o.registers == 16 || o.registers == 32);
  EXPECT_TRUE(o.side_by_side == 1 || (o.side_by_side == 2 && o.masked != nullptr));
}

TEST_P(EveryVec, HalvesAreTwoRows) {
  const VecOperations& o = *GetParam();
  if (o.halves == nullptr) GTEST_SKIP() << o.isa << " has none";
  for (int n = 1; n <= 8; ++n) {
    Guarded<float> low(n), high(n);
    o.halves(2, 3, n, low.data(), high.data());
    for (float v : low) EXPECT_EQ(v, 2);
    for (float v : high) EXPECT_EQ(v, 3);
  }
  std::vector<float> a(16), b(16);
  for (int i = 0; i < 16; ++i) {
    a[i] = static_cast<float>(i + 1);
    b[i] = static_cast<float>(i + 101);
  }
  for (int first = -2; first <= 4; ++first) {
    for (int step = 1; step <= 2; ++step) {
      for (int n = 1; n <= 16; ++n) {
        std::vector<float> out(16);
        o.look_up(a.data(), b.data(), first, step, n, out.data());
        for (int i = 0; i < 16; ++i) {
          const int at = first + step * (i % 8);
          const float want = at < 0 || at >= n ? 0 : (i < 8 ? a : b)[at];
          ASSERT_EQ(out[i], want) << first << ' ' << step << ' ' << n << ' ' << i;
        }
      }
    }
  }
}

TEST_P(EveryVec, WidensAndNarrows) {
  const VecOperations& o = *GetParam();
  if (o.widen == nullptr) GTEST_SKIP() << o.isa << " computes in floats";
  for (int bits = 0; bits < 1 << 16; bits += o.lanes) {
    Guarded<Float16> in(o.lanes), back(o.lanes);
    for (int i = 0; i < o.lanes; ++i) in[i].bits = static_cast<uint16_t>(bits + i);
    Guarded<float> wide(o.lanes);
    o.widen(in.data(), wide.data());
    o.narrow(wide.data(), back.data());
    for (int i = 0; i < o.lanes; ++i) {
      const float want = Float16ToFloat(in[i].bits);
      if (std::isnan(want)) {
        ASSERT_TRUE(std::isnan(wide[i]) && std::isnan(float{back[i]})) << in[i].bits;
      } else {
        ASSERT_EQ(wide[i], want);
        ASSERT_EQ(back[i].bits, in[i].bits);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Isas, EveryVec, testing::ValuesIn(Available()),
                         [](const auto& info) { return std::string(info.param->isa); });

// Whoever adds an instruction set to the table adds its vectors here.
TEST(Vecs, AreThoseOfTheTable) {
  std::set<std::string> found, want;
  for (const VecOperations* o : Available()) found.insert(o->isa);
  for (const Kernels* k : AvailableKernels()) {
    // (Those of WebAssembly are two choices of tiles on the same vectors.)
    const std::string isa = k->isa;
    want.insert(isa.rfind("wasm_", 0) == 0 ? "wasm" : isa);
    if (const Kernels* fp16 = KernelsFor(*k, ElementType::kFloat16)) want.insert(fp16->isa);
  }
  EXPECT_EQ(found, want);
}

}  // namespace
}  // namespace sbnn
