#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "delegate/engine/network.h"
#include "delegate/engine/ops/batch_matmul.h"
#include "delegate/engine/ops/binary.h"
#include "delegate/engine/ops/reshape.h"
#include "delegate/engine/ops/softmax.h"
#include "delegate/engine/ops/transpose.h"
#include "gtest/gtest.h"
#include "tests/delegate/engine/products.h"
#include "tests/delegate/running.h"

namespace sbnn {
namespace {

constexpr int kHeads = 3, kWidth = 5, kValues = 6;

// Which of the operators around the two products a network has.
struct Around {
  bool scales = true;       // a product with a number before the softmax, and a division by one
  bool reshapes = false;    // one that changes nothing before the softmax
  bool exchanges = false;   // heads are made of the last dimension, and joined in it again
  bool transposes = false;  // K is not transposed beforehand
  float scale = 0.5f;
  // What is added behind the first scale, before the second: its shape, and whether it is a
  // constant or an input, 3, the left one if `mask_first`.
  Shape mask = {};
  bool constant_mask = false, mask_first = false;
  bool turned = false;  // the first product is K Q', and then transposed
  // Or which keys are hidden: all from the query's own on, but for so many.
  std::optional<int> causal = {};
};
const Around kPlain, kUnscaled{false}, kTransposed{true, false, false, true}, kReshaped{true, true},
    kExchanged{true, false, true}, kAll{true, true, true}, kAllTransposed{true, true, true, true};

std::unique_ptr<Binary> Scale(BinaryKind kind, float number) {
  return std::make_unique<Binary>(kind, -kInfinity, kInfinity, std::vector<float>{number}, Shape{},
                                  false);
}

std::unique_ptr<Network> MakeNetwork(const Around& around, int batch, int queries, int keys,
                                     const std::vector<int>& outputs, const Array& mask = {}) {
  auto network = std::make_unique<Network>();
  int q = 0, k = 1, v = 2;
  if (around.exchanges) {
    const auto part = [&](int input, int length, int width, const Index& order, int made) {
      network->AddOp(std::make_unique<Reshape>(Shape{batch, length, kHeads, width}), {input}, made,
                     "part");
      network->AddOp(std::make_unique<Transpose>(order), {made}, made + 1, "exchange");
      return made + 1;
    };
    q = part(0, queries, kWidth, {0, 2, 1, 3}, 10);
    k = part(1, keys, kWidth, around.transposes ? Index{0, 2, 1, 3} : Index{0, 2, 3, 1}, 20);
    v = part(2, keys, kValues, {0, 2, 1, 3}, 30);
  }
  // (K' comes as it is in the right factor: as the left one it is transposed, unless that was.)
  network->AddOp(std::make_unique<BatchMatMul>(around.turned && !around.transposes,
                                               around.turned || around.transposes),
                 around.turned ? std::vector<int>{k, q} : std::vector<int>{q, k}, 40, "scores");
  int last = 40;
  const auto add = [&](std::unique_ptr<Op> op, const std::string& label) {
    network->AddOp(std::move(op), {last}, last + 1, label);
    ++last;
  };
  if (around.turned) add(std::make_unique<Transpose>(Index{0, 1, 3, 2}), "turn");
  if (around.scales) add(Scale(BinaryKind::kMul, 2 * around.scale), "mul");
  if (around.constant_mask) {
    add(std::make_unique<Binary>(BinaryKind::kAdd, -kInfinity, kInfinity, mask.data, mask.shape,
                                 around.mask_first),
        "mask");
  } else if (!around.mask.empty()) {
    network->AddOp(std::make_unique<Binary>(BinaryKind::kAdd, -kInfinity, kInfinity),
                   around.mask_first ? std::vector<int>{3, last} : std::vector<int>{last, 3},
                   last + 1, "mask");
    ++last;
  }
  if (around.scales) add(Scale(BinaryKind::kDiv, 2), "div");
  if (around.reshapes) {
    add(std::make_unique<Reshape>(Shape{batch, kHeads, queries, keys}), "reshape");
  }
  add(std::make_unique<Softmax>(1.0f), "softmax");
  network->AddOp(std::make_unique<BatchMatMul>(false, false), {last, v}, 50, "values");
  if (around.exchanges) {
    network->AddOp(std::make_unique<Transpose>(Index{0, 2, 1, 3}), {50}, 51, "exchange");
    network->AddOp(std::make_unique<Reshape>(Shape{batch, queries, kHeads * kValues}), {51}, 52,
                   "join");
  }
  const bool has_mask_input = !around.mask.empty() && !around.constant_mask;
  network->SetInputs(has_mask_input ? std::vector<int>{0, 1, 2, 3} : std::vector<int>{0, 1, 2});
  network->SetOutputs(outputs);
  return network;
}

// The last dimension of each row in heads, or the way back.
Array Parted(const Array& x, int width) {
  return Make({x.shape[0], kHeads, x.shape[1], width},
              [&](const Index& at) { return At(x, {at[0], at[2], at[1] * width + at[3]}); });
}
Array Joined(const Array& x) {
  const int width = x.shape[3];
  return Make({x.shape[0], x.shape[2], kHeads * width},
              [&](const Index& at) { return At(x, {at[0], at[2] / width, at[1], at[2] % width}); });
}

// With half of the mask: what divides by 2 comes behind it.
Array Reference(const Array& q, const Array& keys, const Array& v, float scale,
                const Array& mask = {}) {
  Array scores = ReferenceProduct(q, keys);
  for (float& s : scores.data) s *= scale;
  if (!mask.data.empty()) {
    scores = Make(scores.shape, [&](const Index& at) {
      Index from(at.end() - static_cast<int>(mask.shape.size()), at.end());
      for (size_t d = 0; d < from.size(); ++d) from[d] = mask.shape[d] == 1 ? 0 : from[d];
      return At(scores, at) + At(mask, from) / 2;
    });
  }
  scores.data = ReferenceSoftmax(scores.data, scores.shape.back(), 1.0f);
  return ReferenceProduct(scores, v);
}

void ExpectAttention(const Around& around, int batch, int queries, int keys, size_t steps) {
  SCOPED_TRACE(std::to_string(batch) + " " + std::to_string(queries) + " " + std::to_string(keys));
  Random random(5);
  std::vector<Array> inputs;
  Array want, mask;
  if (!around.mask.empty()) {
    // As masks are: numbers, and the least of all where a key is hidden. In the first row all are.
    mask = RandomArray(around.mask, &random);
    for (size_t i = 0; i < mask.data.size(); ++i) {
      const bool hidden = static_cast<int>(i) < around.mask.back() || random.Chance(0.3);
      if (hidden) mask.data[i] = std::numeric_limits<float>::lowest();
    }
    if (around.causal.has_value()) {
      mask = Make(around.mask, [&](const Index& at) {
        const bool hidden = at.end()[-1] >= at.end()[-2] + *around.causal;
        return hidden ? std::numeric_limits<float>::lowest() : 0.0f;
      });
    }
  }
  if (around.exchanges) {
    inputs = {RandomArray({batch, queries, kHeads * kWidth}, &random),
              RandomArray({batch, keys, kHeads * kWidth}, &random),
              RandomArray({batch, keys, kHeads * kValues}, &random)};
    want = Joined(Reference(Parted(inputs[0], kWidth), Exchanged(Parted(inputs[1], kWidth), true),
                            Parted(inputs[2], kValues), around.scale, mask));
  } else {
    inputs = {RandomArray({batch, kHeads, queries, kWidth}, &random),
              RandomArray({batch, kHeads, kWidth, keys}, &random),
              RandomArray({batch, kHeads, keys, kValues}, &random)};
    want = Reference(inputs[0], inputs[1], inputs[2], around.scales ? around.scale : 1, mask);
    if (around.transposes) inputs[1] = Exchanged(inputs[1], true);
  }
  if (!mask.data.empty() && !around.constant_mask) inputs.push_back(mask);
  const auto network =
      MakeNetwork(around, batch, queries, keys, {around.exchanges ? 52 : 50}, mask);
  for (const Kernels* kernels : AvailableKernels()) {
    for (int threads : kThreads) {
      const Array found = RunNetwork(network.get(), inputs, 1, *kernels, threads)[0];
      ASSERT_EQ(found.shape, want.shape);
      for (size_t i = 0; i < want.data.size(); ++i) {
        ASSERT_NEAR(found.data[i], want.data[i], 1e-5) << kernels->isa << " element " << i;
      }
    }
  }
  EXPECT_EQ(Labels(*network).size(), steps) << testing::PrintToString(Labels(*network));
}

TEST(MakeAttentions, TwoProductsAndWhatIsBetweenAreOne) {
  // Below, at and above vectors and groups; one row; several images.
  for (int queries : {1, 7, 8, 17, 49, 50}) {
    for (int keys : {1, 5, 16, 33}) {
      ExpectAttention(kPlain, 1, queries, keys, 1);
      if (HasFatalFailure()) return;
    }
  }
  ExpectAttention(kPlain, 2, 25, 13, 1);
  ExpectAttention(kUnscaled, 1, 9, 6, 1);
  ExpectAttention(kTransposed, 1, 9, 6, 1);
}

TEST(MakeAttentions, SkipsReshapesAndTransposes) {
  for (int queries : {1, 26}) {
    ExpectAttention(kReshaped, 1, queries, 11, 1);
    ExpectAttention(kExchanged, 1, queries, 11, 1);
    ExpectAttention(kAll, 2, queries, 11, 1);
    ExpectAttention(kAllTransposed, 2, queries, 11, 1);
  }
}

TEST(MakeAttentions, TakesAMask) {
  for (const Shape& mask : {Shape{1, 1, 1, 11}, Shape{1, 1, 9, 11}, Shape{2, 1, 1, 11},
                            Shape{2, kHeads, 9, 11}, Shape{9, 11}, Shape{11}, Shape{9, 1}}) {
    SCOPED_TRACE(testing::PrintToString(mask));
    for (bool constant : {false, true}) {
      for (bool first : {false, true}) {
        ExpectAttention({true, false, false, false, 0.5f, mask, constant, first}, 2, 9, 11, 1);
      }
    }
  }
}

// Tiles of rows that see few keys, or all; rows that see none; a mask for each head.
TEST(MakeAttentions, LeavesOutKeysThatAConstantMaskHides) {
  for (int causal : {1, 20, 0, -3}) {
    for (int heads : {1, kHeads}) {
      for (int keys : {11, 70}) {
        Around around{true, false, false, false, 0.5f, {1, heads, 70, keys}, true};
        around.causal = causal;
        ExpectAttention(around, 1, 70, keys, 1);
        around.turned = true;
        ExpectAttention(around, 1, 70, keys, 1);
        if (HasFatalFailure()) return;
      }
    }
  }
}

TEST(MakeAttentions, TakesAProductThatIsTransposed) {
  for (bool transposes : {false, true}) {
    Around around{true, false, false, transposes, 0.5f, {2, 1, 9, 11}};
    around.turned = true;
    ExpectAttention(around, 2, 9, 11, 1);
    around.exchanges = around.mask_first = true;
    ExpectAttention(around, 2, 9, 11, 1);
  }
}

// A softmax of scores times a negative number is not one that subtracts the largest.
TEST(MakeAttentions, LeavesNegativeScales) {
  ExpectAttention({true, false, false, false, -0.5f}, 1, 9, 6, 5);
  ExpectAttention({true, false, false, false, 0.0f}, 1, 9, 6, 5);
}

// Whoever else wants what is between gets it.
TEST(MakeAttentions, LeavesWhatIsRead) {
  Random random(6);
  const std::vector<Array> inputs = {RandomArray({1, kHeads, 9, kWidth}, &random),
                                     RandomArray({1, kHeads, kWidth, 6}, &random),
                                     RandomArray({1, kHeads, 6, kValues}, &random)};
  const Array want = Reference(inputs[0], inputs[1], inputs[2], 0.5f);
  for (int between : {40, 41, 42, 43}) {
    const auto network = MakeNetwork(kPlain, 1, 9, 6, {50, between});
    const Array found = RunNetwork(network.get(), inputs, 2, *AvailableKernels()[0], 1)[0];
    for (size_t i = 0; i < want.data.size(); ++i) ASSERT_NEAR(found.data[i], want.data[i], 1e-5);
    EXPECT_EQ(Labels(*network).size(), 5u);
  }
}

}  // namespace
}  // namespace sbnn
