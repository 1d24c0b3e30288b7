// Random test data. Floats are small integers, so that sums of products are exact in any order,
// with or without FMA, and results can be compared for equality.
#ifndef SBNN_TESTS_DELEGATE_RANDOM_H_
#define SBNN_TESTS_DELEGATE_RANDOM_H_

#include <cstddef>
#include <random>
#include <vector>

namespace sbnn {

class Random {
 public:
  explicit Random(unsigned seed) : engine_(seed) {}

  // An integer in [low, high].
  int Int(int low, int high) {
    // (Their distance may be more than an int.)
    const unsigned count = static_cast<unsigned>(high) - static_cast<unsigned>(low) + 1;
    return static_cast<int>(static_cast<unsigned>(low) + engine_() % count);
  }
  bool Chance(double p) { return engine_() < p * 4294967296.0; }
  template <typename T>
  T Pick(const std::vector<T>& of) {
    return of[Int(0, static_cast<int>(of.size()) - 1)];
  }
  // An integer in [-4, 4] but 0.
  float NonZero() {
    const int v = Int(1, 4);
    return static_cast<float>(Chance(0.5) ? v : -v);
  }
  std::vector<float> Floats(size_t count) {
    std::vector<float> values(count);
    for (float& v : values) v = static_cast<float>(Int(-4, 4));
    return values;
  }
  // A filter of [outputs][..., inputs] whose columns of `group` outputs are kept with `density`.
  std::vector<float> Filter(int outputs, size_t columns, int group, double density) {
    std::vector<float> values(outputs * columns, 0.0f);
    for (int o = 0; o < outputs; o += group) {
      for (size_t c = 0; c < columns; ++c) {
        if (!Chance(density)) continue;
        for (int i = o; i < o + group && i < outputs; ++i) values[i * columns + c] = NonZero();
      }
    }
    return values;
  }

 private:
  std::mt19937 engine_;
};

}  // namespace sbnn

#endif  // SBNN_TESTS_DELEGATE_RANDOM_H_
