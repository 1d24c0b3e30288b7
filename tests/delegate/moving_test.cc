// Operators that only move elements, in both layouts: every element of the output is looked up where
// the operator's definition says that it comes from.
#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "delegate/engine/ops/concatenation.h"
#include "delegate/engine/ops/depth_to_space.h"
#include "delegate/engine/ops/mirror_pad.h"
#include "delegate/engine/ops/numbers.h"
#include "delegate/engine/ops/pad.h"
#include "delegate/engine/ops/reshape.h"
#include "delegate/engine/ops/split.h"
#include "delegate/engine/ops/stack.h"
#include "delegate/engine/ops/strided_slice.h"
#include "delegate/engine/ops/transpose.h"
#include "gtest/gtest.h"
#include "tests/delegate/random.h"
#include "tests/delegate/reference.h"
#include "tests/delegate/running.h"

namespace sbnn {
namespace {

using Index = std::vector<int>;

size_t Offset(const Shape& shape, const Index& at) {
  size_t offset = 0;
  for (size_t d = 0; d < shape.size(); ++d) offset = offset * shape[d] + at[d];
  return offset;
}

// An array whose element at each index is what `value` says.
Array Make(const Shape& shape, const std::function<float(const Index&)>& value) {
  Array y(shape);
  Index at(shape.size(), 0);
  for (float& v : y.data) {
    v = value(at);
    for (size_t d = shape.size(); d-- > 0;) {
      if (++at[d] < shape[d]) break;
      at[d] = 0;
    }
  }
  return y;
}

float At(const Array& x, const Index& at) { return x.data[Offset(x.shape, at)]; }

// Images that are panels, one pixel, of one row, of one channel; other ranks; many tasks.
const std::vector<Shape> kShapes = {{2, 5, 7, 3}, {1, 16, 16, 17}, {2, 1, 1, 9}, {3, 1, 33, 2}, {1, 9, 1, 5},
                                    {2, 6, 4, 1}, {3, 8},          {5},          {2, 3, 4},    {2, 3, 2, 3, 2}};

TEST(Transpose, AnyOrder) {
  Random random(1);
  std::vector<Shape> shapes = kShapes;
  shapes.push_back({1, 70, 60, 40});
  for (const Shape& shape : shapes) {
    std::vector<int> order;
    for (size_t d = 0; d < shape.size(); ++d) order.push_back(static_cast<int>(d));
    const Array x = RandomArray(shape, &random);
    do {
      SCOPED_TRACE(testing::PrintToString(shape) + testing::PrintToString(order));
      if (shape[0] * ElementCount(shape) > 100000 && order[0] > 1) continue;
      Shape to;
      for (int d : order) to.push_back(shape[d]);
      ExpectEverywhere(std::make_unique<Transpose>(order), x, Make(to, [&](const Index& at) {
                         Index from(at.size());
                         for (size_t d = 0; d < at.size(); ++d) from[order[d]] = at[d];
                         return At(x, from);
                       }));
      if (HasFatalFailure()) return;
    } while (shape.size() < 5 && std::next_permutation(order.begin(), order.end()));
  }
  EXPECT_NE(Refusal(std::make_unique<Transpose>(Index{0, 1, 1, 2}), {1, 2, 3, 4}), "");
  EXPECT_NE(Refusal(std::make_unique<Transpose>(Index{0, 1, 2, 4}), {1, 2, 3, 4}), "");
  EXPECT_NE(Refusal(std::make_unique<Transpose>(Index{0, 1, 2}), {1, 2, 3, 4}), "");
}

TEST(Split, EveryDimension) {
  Random random(2);
  for (const Shape& shape : std::vector<Shape>{{4, 6, 10, 12}, {2, 1, 1, 12}, {6, 8}, {2, 4, 6}}) {
    for (int axis = 0; axis < static_cast<int>(shape.size()); ++axis) {
      for (int count : {1, 2, 3}) {
        if (shape[axis] % count != 0) continue;
        const Array x = RandomArray(shape, &random);
        Network network;
        std::vector<int> outputs;
        std::vector<Array> want;
        Shape part = shape;
        part[axis] /= count;
        for (int i = 0; i < count; ++i) {
          network.AddOp(std::make_unique<Split>(axis, count, i), {0}, i + 1);
          outputs.push_back(i + 1);
          want.push_back(Make(part, [&](Index at) {
            at[axis] += i * part[axis];
            return At(x, at);
          }));
        }
        network.SetInputs({0});
        network.SetOutputs(outputs);
        ExpectEverywhere(&network, {x}, want);
        if (HasFatalFailure()) return;
      }
    }
  }
  EXPECT_NE(Refusal(std::make_unique<Split>(1, 2, 0), {4, 5}), "");
  EXPECT_NE(Refusal(std::make_unique<Split>(2, 2, 0), {4, 4}), "");
  EXPECT_NE(Refusal(std::make_unique<Split>(0, 0, 0), {4, 4}), "");
}

TEST(Concatenation, EveryDimension) {
  Random random(3);
  for (const Shape& shape : kShapes) {
    for (size_t axis = 0; axis < shape.size(); ++axis) {
      std::vector<Array> parts;
      Shape whole = shape;
      whole[axis] = 0;
      for (int extra : {0, 2, 1}) {
        Shape part = shape;
        part[axis] += extra;
        whole[axis] += part[axis];
        parts.push_back(RandomArray(part, &random));
      }
      Network network;
      network.AddOp(std::make_unique<Concatenation>(static_cast<int>(axis)), {0, 1, 2}, 3);
      network.SetInputs({0, 1, 2});
      network.SetOutputs({3});
      ExpectEverywhere(&network, parts, {Make(whole, [&](Index at) {
                         size_t i = 0;
                         for (; at[axis] >= parts[i].shape[axis]; ++i) at[axis] -= parts[i].shape[axis];
                         return At(parts[i], at);
                       })});
      if (HasFatalFailure()) return;
    }
  }
}

TEST(Stack, EveryDimension) {
  Random random(4);
  for (const Shape& shape : std::vector<Shape>{{2, 5, 7, 3}, {2, 5, 7}, {3, 4}, {6}}) {
    for (size_t axis = 0; axis <= shape.size(); ++axis) {
      const std::vector<Array> parts = {RandomArray(shape, &random), RandomArray(shape, &random)};
      Shape whole = shape;
      whole.insert(whole.begin() + axis, 2);
      Network network;
      network.AddOp(std::make_unique<Stack>(static_cast<int>(axis)), {0, 1}, 2);
      network.SetInputs({0, 1});
      network.SetOutputs({2});
      ExpectEverywhere(&network, parts, {Make(whole, [&](Index at) {
                         const int part = at[axis];
                         at.erase(at.begin() + axis);
                         return At(parts[part], at);
                       })});
      if (HasFatalFailure()) return;
    }
  }
}

TEST(DepthToSpace, AndBack) {
  Random random(5);
  for (const Shape& wide : std::vector<Shape>{{2, 6, 12, 3}, {1, 6, 6, 1}, {1, 12, 36, 9}}) {
    for (int block : {1, 2, 3, 6}) {
      const int channels = wide[3];
      const Shape deep = {wide[0], wide[1] / block, wide[2] / block, channels * block * block};
      const Array x = RandomArray(wide, &random);
      const Array y = Make(deep, [&](const Index& at) {
        const int c = at[3] % channels, b = at[3] / channels;
        return At(x, {at[0], at[1] * block + b / block, at[2] * block + b % block, c});
      });
      ExpectEverywhere(std::make_unique<SpaceToDepth>(block), x, y);
      ExpectEverywhere(std::make_unique<DepthToSpace>(block), y, x);
      if (HasFatalFailure()) return;
    }
  }
  for (int block : {-2, 0, 5, 100000, 2147483647}) {
    EXPECT_NE(Refusal(std::make_unique<DepthToSpace>(block), {1, 4, 4, 24}), "") << block;
    EXPECT_NE(Refusal(std::make_unique<SpaceToDepth>(block), {1, 4, 4, 24}), "") << block;
  }
}

TEST(Pad, EveryDimension) {
  Random random(6);
  for (const Shape& shape : kShapes) {
    for (int round = 0; round < 4; ++round) {
      Padding p, mirror;
      Shape to = shape, mirrored = shape;
      for (size_t d = 0; d < shape.size(); ++d) {
        p.before.push_back(random.Int(0, 3));
        p.after.push_back(random.Int(0, 3));
        to[d] += p.before[d] + p.after[d];
        mirror.before.push_back(std::min(p.before[d], shape[d] - 1));
        mirror.after.push_back(std::min(p.after[d], shape[d] - 1));
        mirrored[d] += mirror.before[d] + mirror.after[d];
      }
      const Array x = RandomArray(shape, &random);
      ExpectEverywhere(std::make_unique<Pad>(p, 7.0f), x, Make(to, [&](Index at) {
                         for (size_t d = 0; d < at.size(); ++d) {
                           at[d] -= p.before[d];
                           if (at[d] < 0 || at[d] >= shape[d]) return 7.0f;
                         }
                         return At(x, at);
                       }));
      for (bool symmetric : {false, true}) {
        const int edge = symmetric ? 1 : 0;
        ExpectEverywhere(std::make_unique<MirrorPad>(mirror, symmetric), x, Make(mirrored, [&](Index at) {
                           for (size_t d = 0; d < at.size(); ++d) {
                             at[d] -= mirror.before[d];
                             if (at[d] < 0) at[d] = -at[d] - edge;
                             if (at[d] >= shape[d]) at[d] = 2 * (shape[d] - 1) - at[d] + edge;
                           }
                           return At(x, at);
                         }));
      }
      if (HasFatalFailure()) return;
    }
  }
  EXPECT_NE(Refusal(std::make_unique<Pad>(Padding{{-1}, {2}}), {4}), "");
  EXPECT_NE(Refusal(std::make_unique<Pad>(Padding{{1}, {2147483647}}), {4}), "");
  EXPECT_NE(Refusal(std::make_unique<Pad>(Padding{{1}, {2}}), {4, 4}), "");
  EXPECT_NE(Refusal(std::make_unique<MirrorPad>(Padding{{4}, {0}}, false), {4}), "");
  EXPECT_EQ(Refusal(std::make_unique<MirrorPad>(Padding{{4}, {0}}, true), {4}), "");
  EXPECT_NE(Refusal(std::make_unique<MirrorPad>(Padding{{5}, {0}}, true), {4}), "");
}

TEST(StridedSlice, AsNumPy) {
  Random random(7);
  for (int round = 0; round < 4 * kRounds; ++round) {
    const Shape shape = random.Pick(kShapes);
    Slice slice;
    Shape to;
    Index first, step;
    std::vector<bool> dropped;
    const int given = random.Int(0, static_cast<int>(shape.size()));
    for (int d = 0; d < static_cast<int>(shape.size()); ++d) {
      const int size = shape[d];
      if (d >= given) {
        to.push_back(size);
        first.push_back(0);
        step.push_back(1);
        dropped.push_back(false);
        continue;
      }
      const int from = random.Int(0, size - 1), until = random.Int(0, size - 1);
      const bool back = until < from, wrap = random.Chance(0.5);
      const int stride = random.Int(1, 3) * (back ? -1 : 1);
      int end = back ? until - 1 : until + 1;  // one behind the last
      if (back && end < 0) slice.end_mask |= 1 << d;
      if (!back && end == size && random.Chance(0.5)) end += 5;
      slice.begin.push_back(wrap ? from - size : from);
      slice.end.push_back(wrap && end < size ? end - size : end);
      slice.stride.push_back(stride);
      first.push_back(from);
      step.push_back(stride);
      dropped.push_back(!back && random.Chance(0.2) && shape.size() > 1 && d > 0);
      if (dropped[d]) {
        slice.shrink_mask |= 1 << d;
      } else {
        to.push_back(std::abs(until - from) / std::abs(stride) + 1);
      }
    }
    if (to.empty()) continue;
    const Array x = RandomArray(shape, &random);
    ExpectEverywhere(std::make_unique<StridedSlice>(slice), x, Make(to, [&](const Index& at) {
                       Index source;
                       size_t next = 0;
                       for (size_t d = 0; d < shape.size(); ++d) {
                         source.push_back(first[d] + (dropped[d] ? 0 : at[next++]) * step[d]);
                       }
                       return At(x, source);
                     }));
    if (HasFatalFailure()) return;
  }
  const auto refused = [](const Slice& slice) {
    return !Refusal(std::make_unique<StridedSlice>(slice), {4, 4}).empty();
  };
  EXPECT_FALSE(refused({{0, 0}, {9, 9}, {1, 1}}));
  EXPECT_TRUE(refused({{0, 0}, {9, 9}, {1, 0}}));
  EXPECT_TRUE(refused({{2, 0}, {2, 9}, {1, 1}}));
  EXPECT_TRUE(refused({{0, 0, 0}, {9, 9, 9}, {1, 1, 1}}));
  EXPECT_TRUE(refused({{0, 0}, {9}, {1, 1}}));
  EXPECT_TRUE(refused({{4, 0}, {5, 9}, {1, 1}, 0, 0, 1}));
  EXPECT_TRUE(refused({{-5, 0}, {5, 9}, {1, 1}, 0, 0, 1}));
  EXPECT_TRUE(refused({{0, 0}, {1, 1}, {1, 1}, 0, 0, 3})) << "a scalar";
  EXPECT_FALSE(refused({{-2147483647 - 1, 0}, {2147483647, 9}, {2147483647, 1}}));
  EXPECT_FALSE(refused({{2147483647, 0}, {-2147483647 - 1, 9}, {-2147483647 - 1, 1}}));
}

TEST(Squeeze, AndExpand) {
  Random random(8);
  const Array x = RandomArray({2, 1, 5, 1, 3}, &random);
  const auto with = [&](const Shape& shape) { return Array(shape, x.data); };
  ExpectEverywhere(std::make_unique<Squeeze>(Index{}), x, with({2, 5, 3}));
  ExpectEverywhere(std::make_unique<Squeeze>(Index{1}), x, with({2, 5, 1, 3}));
  ExpectEverywhere(std::make_unique<Squeeze>(Index{-2, 1}), x, with({2, 5, 3}));
  ExpectEverywhere(std::make_unique<ExpandDims>(0), with({2, 5, 3}), with({1, 2, 5, 3}));
  ExpectEverywhere(std::make_unique<ExpandDims>(-1), with({2, 5, 3}), with({2, 5, 3, 1}));
  EXPECT_NE(Refusal(std::make_unique<Squeeze>(Index{0}), {2, 1}), "");
  EXPECT_NE(Refusal(std::make_unique<Squeeze>(Index{2}), {2, 1}), "");
  EXPECT_NE(Refusal(std::make_unique<Squeeze>(Index{}), {1, 1}), "");
  EXPECT_NE(Refusal(std::make_unique<ExpandDims>(3), {2, 1}), "");
  EXPECT_NE(Refusal(std::make_unique<ExpandDims>(-4), {2, 1}), "");
}

// A reshape to [batch, -1, 6], where the batch is that of the input.
TEST(Numbers, FollowTheShape) {
  Random random(9);
  Network network;
  network.AddOp(std::make_unique<ShapeOf>(), {0}, 1);
  network.AddOp(std::make_unique<SliceNumbers>(Slice{{0}, {1}, {1}, 0, 0, 1}), {1}, 2);
  network.AddOp(std::make_unique<JoinNumbers>(std::vector<Index>{{}, {-1}, {6}}), {2}, 3);
  network.AddOp(std::make_unique<Reshape>(Shape{}), {0, 3}, 4);
  network.SetInputs({0});
  network.SetOutputs({4});
  for (const Shape& shape : std::vector<Shape>{{1, 4, 5, 3}, {3, 2, 7, 6}, {2, 1, 1, 12}}) {
    const Array x = RandomArray(shape, &random);
    ExpectEverywhere(&network, {x}, {Array({shape[0], static_cast<int>(x.data.size()) / shape[0] / 6, 6}, x.data)});
  }
  EXPECT_FALSE(network.Prepare({{1, 1, 1, 5}}, *AvailableKernels().front(), 1).ok());
}

}  // namespace
}  // namespace sbnn
