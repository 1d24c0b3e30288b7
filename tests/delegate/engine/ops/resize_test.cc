#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "delegate/engine/ops/resize.h"
#include "gtest/gtest.h"
#include "tests/delegate/random.h"
#include "tests/delegate/reference.h"
#include "tests/delegate/running.h"

namespace sbnn {
namespace {

// Doubling an image: exact in floats, whatever the order of operations.
TEST(Resize, Doubles) {
  Random random(30);
  for (const Shape& shape : std::vector<Shape>{{2, 5, 7, 3}, {1, 1, 1, 4}, {1, 20, 33, 9}}) {
    const Array x = RandomArray(shape, &random);
    const int h = shape[1], w = shape[2];
    Array near({shape[0], 2 * h, 2 * w, shape[3]}), between = near, centers = near;
    for (int n = 0; n < shape[0]; ++n) {
      for (int i = 0; i < 2 * h; ++i) {
        for (int j = 0; j < 2 * w; ++j) {
          for (int c = 0; c < shape[3]; ++c) {
            const auto mixed = [&](double row, double column) {
              const int top = static_cast<int>(std::floor(row)),
                        left = static_cast<int>(std::floor(column));
              const double down = row - top, right = column - left;
              const auto at = [&](int y, int z) {
                return double{
                    x.At(n, std::min(h - 1, std::max(0, y)), std::min(w - 1, std::max(0, z)), c)};
              };
              return static_cast<float>(
                  (at(top, left) * (1 - right) + at(top, left + 1) * right) * (1 - down) +
                  (at(top + 1, left) * (1 - right) + at(top + 1, left + 1) * right) * down);
            };
            near.At(n, i, j, c) = x.At(n, i / 2, j / 2, c);
            between.At(n, i, j, c) = mixed(i / 2.0, j / 2.0);
            centers.At(n, i, j, c) = mixed((i + 0.5) / 2 - 0.5, (j + 0.5) / 2 - 0.5);
          }
        }
      }
    }
    ExpectEverywhere(std::make_unique<Resize>(false, false, false, 2 * h, 2 * w), x, near);
    ExpectEverywhere(std::make_unique<Resize>(true, false, false, 2 * h, 2 * w), x, between);
    ExpectEverywhere(std::make_unique<Resize>(true, false, true, 2 * h, 2 * w), x, centers);
  }
  EXPECT_NE(Refusal(std::make_unique<Resize>(true, false, false, 0, 3), {1, 2, 2, 1}), "");
  EXPECT_NE(Refusal(std::make_unique<Resize>(true, false, false, -1, 3), {1, 2, 2, 1}), "");
  EXPECT_NE(Refusal(std::make_unique<Resize>(true, false, false, 1 << 20, 1 << 20), {1, 2, 2, 1}),
            "");
  EXPECT_NE(Refusal(std::make_unique<Resize>(true, false, false, 3, 3), {2, 2, 1}), "");
}

}  // namespace
}  // namespace sbnn
