#include <memory>
#include <vector>

#include "delegate/engine/ops/mirror_pad.h"
#include "delegate/engine/ops/pad.h"
#include "gtest/gtest.h"
#include "tests/delegate/engine/elements.h"
#include "tests/delegate/random.h"
#include "tests/delegate/reference.h"
#include "tests/delegate/running.h"

namespace sbnn {
namespace {

TEST(Pad, ByItself) {
  Random random(9);
  for (const Shape& shape : std::vector<Shape>{{1, 5, 7, 3}, {3, 16, 16, 2}, {2, 1, 1, 9}}) {
    const Array x = RandomArray(shape, &random);
    for (const Margin& m :
         std::vector<Margin>{{0, 1, 0, 1}, {1, 1, 1, 1}, {0, 0, 0, 0}, {5, 0, 17, 2}}) {
      ExpectEverywhere(std::make_unique<Pad>(m), x, ReferencePad(x, m));
    }
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
        ExpectEverywhere(std::make_unique<MirrorPad>(mirror, symmetric), x,
                         Make(mirrored, [&](Index at) {
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

}  // namespace
}  // namespace sbnn
