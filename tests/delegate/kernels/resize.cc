// Resizing of a plane: nearest pixels, and those between rows and columns.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "delegate/kernels/table.h"
#include "gtest/gtest.h"
#include "tests/delegate/guarded.h"
#include "tests/delegate/kernels/testing.h"
#include "tests/delegate/random.h"

namespace sbnn {
namespace {

// `count` positions that do not decrease, in steps of up to `most`, below `size`.
std::vector<int32_t> Positions(int count, int size, int most, Random* random) {
  std::vector<int32_t> positions;
  int at = random->Int(0, std::min(2, size - 1));
  for (int i = 0; i < count; ++i) {
    positions.push_back(at);
    at = std::min(size - 1, at + random->Int(0, most));
  }
  return positions;
}

// The next position, or the same at the end.
std::vector<int32_t> Seconds(const std::vector<int32_t>& firsts, int size) {
  std::vector<int32_t> seconds;
  for (int32_t first : firsts) seconds.push_back(std::min<int32_t>(size - 1, first + 1));
  return seconds;
}

// Quarters: exact, as small whole numbers are.
std::vector<float> Shares(int count, Random* random) {
  std::vector<float> shares;
  for (int i = 0; i < count; ++i) shares.push_back(0.25f * static_cast<float>(random->Int(0, 3)));
  return shares;
}

}  // namespace

void ResizeAsTheReference(const KernelRow& row) {
  const int lanes = row.kernels->lanes;
  Random random(33);
  for (int width = 1; width <= 3 * lanes + 1; ++width) {
    // Enlarged, a vector's columns lie in a vector; made smaller, they do not.
    for (int most : {0, 1, 3}) {
      const int in_w = random.Int(1, 3 * lanes), in_h = random.Int(1, 4), rows = random.Int(1, 9);
      SCOPED_TRACE(testing::Message() << rows << " x " << width << " of " << in_h << " x " << in_w
                                      << ", steps up to " << most);
      const Edge edge = kEdges[random.Int(0, 1)];
      const std::vector<float> pixels = random.Floats(static_cast<size_t>(in_h) * in_w + lanes - 1);
      const Guarded<float> x(pixels, edge);
      const auto upper = Positions(rows, in_h, 2, &random), lower = Seconds(upper, in_h);
      const auto left = Positions(width + kMaxLanes, in_w, most, &random);
      const auto right = Seconds(left, in_w);
      const auto down = Shares(rows, &random), across = Shares(width + kMaxLanes, &random);
      for (bool nearest : {false, true}) {
        Guarded<float> y(static_cast<size_t>(rows) * width, edge),
            between(kResizedRows * (in_w + kMaxLanes) + kMaxLanes);
        ResizeArgs args{};
        args.x = x.data();
        args.in_w = in_w;
        args.y = y.data();
        args.rows = rows;
        args.out_w = width;
        args.upper = upper.data();
        args.left = left.data();
        if (!nearest) {
          args.lower = lower.data();
          args.down = down.data();
          args.right = right.data();
          args.across = across.data();
          args.between = between.data();
        }
        row.kernels->resize(args);
        for (int r = 0; r < rows; ++r) {
          for (int i = 0; i < width; ++i) {
            const auto at = [&](int h, int w) { return pixels[static_cast<size_t>(h) * in_w + w]; };
            float want = at(upper[r], left[i]);
            if (!nearest) {
              const auto column = [&](int w) {
                return at(upper[r], w) * (1 - down[r]) + at(lower[r], w) * down[r];
              };
              want = column(left[i]) * (1 - across[i]) + column(right[i]) * across[i];
            }
            ASSERT_EQ(y[static_cast<size_t>(r) * width + i], want) << r << ", " << i;
          }
        }
        ASSERT_TRUE(y.Intact() && between.Intact());
      }
    }
  }
}

}  // namespace sbnn
