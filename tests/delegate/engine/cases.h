// Random filters, limits and windows for tests of operators.
#ifndef SBNN_TESTS_DELEGATE_ENGINE_CASES_H_
#define SBNN_TESTS_DELEGATE_ENGINE_CASES_H_

#include <memory>
#include <ostream>
#include <vector>

#include "delegate/engine/window.h"
#include "delegate/format/packed_weights.h"
#include "delegate/kernels/table.h"
#include "gtest/gtest.h"
#include "tests/delegate/random.h"
#include "tests/delegate/reference.h"
#include "tests/delegate/running.h"
#include "tests/delegate/sparse.h"

namespace sbnn {

constexpr int kUnstructured = 0;  // for a group

// Packed as groups of `group`, or unstructured, from a dense or from a sparse constant.
inline std::shared_ptr<const PackedWeights> PackAs(const std::vector<float>& filter,
                                                   const Shape& shape,
                                                   const std::vector<float>& bias, int group,
                                                   bool sparse) {
  OwnedConstant owned;
  if (sparse) {
    EncodeSparse(filter, shape,
                 GroupFormat(static_cast<int>(shape.size()), shape[0] % 4 == 0 ? 4 : 1), &owned);
  } else {
    EncodeDense(filter, shape, &owned);
  }
  ColumnCost cost = {{1e6f, 1e6f, 1e6f, 1e6f}, 1e-3f, 0, group == kUnstructured ? 5 : 0};
  if (group != kUnstructured) cost.of[GroupIndex(group)] = 1e-3f;
  auto packed = std::make_shared<PackedWeights>();
  const Status status = Pack(owned.constant, bias.data(), cost, packed.get());
  EXPECT_TRUE(status.ok()) << status.message();
  return packed;
}

inline int RandomGroup(Random* random) { return kGroupSizes[random->Int(0, kGroupKinds - 1)]; }

inline int RandomKind(Random* random) {
  return random->Chance(0.3) ? kUnstructured : RandomGroup(random);
}

struct Limits {
  float lo, hi;
};

inline Limits RandomLimits(Random* random) {
  return random->Pick<Limits>({{-kInfinity, kInfinity}, {0, kInfinity}, {0, 6}, {-1, 1}});
}

inline void PrintWindow(const Window& w, std::ostream* out) {
  *out << (w.same ? "SAME " : "VALID ") << w.kernel_h << 'x' << w.kernel_w << " stride "
       << w.stride_h << 'x' << w.stride_w << " dilation " << w.dilation_h << 'x' << w.dilation_w
       << " margin " << w.margin.top << ' ' << w.margin.bottom << ' ' << w.margin.left << ' '
       << w.margin.right;
}

struct WindowCase {
  Shape input;
  int outputs;  // or the multiplier
  Window window;
};

inline std::ostream& operator<<(std::ostream& out, const WindowCase& c) {
  out << testing::PrintToString(c.input) << " to " << c.outputs << ", ";
  PrintWindow(c.window, &out);
  return out;
}

inline Window MakeWindow(int kernel, int stride, bool same, int dilation = 1) {
  return {kernel, kernel, stride, stride, dilation, dilation, same, {}};
}

inline Window Margined(Window w, int top, int bottom, int left, int right) {
  w.margin = {top, bottom, left, right};
  return w;
}

inline bool Fits(const Shape& image, const Window& w) {
  const Margin& m = w.margin;
  return ReferenceAxis(image[1] + m.top + m.bottom, w.kernel_h, w.stride_h, w.dilation_h, w.same)
                 .out > 0 &&
         ReferenceAxis(image[2] + m.left + m.right, w.kernel_w, w.stride_w, w.dilation_w, w.same)
                 .out > 0;
}

inline WindowCase RandomWindowCase(const std::vector<int>& channels,
                                   const std::vector<int>& outputs, Random* random) {
  for (;;) {
    WindowCase c;
    c.input = {random->Pick<int>({1, 1, 3}), random->Int(1, 20), random->Int(1, 36),
               random->Pick(channels)};
    if (random->Chance(0.1)) c.input[1] = c.input[2] = 1;
    c.outputs = random->Pick(outputs);
    Window& w = c.window;
    w.kernel_h = random->Int(1, 7);
    w.kernel_w = random->Chance(0.6) ? w.kernel_h : random->Int(1, 7);
    w.stride_h = random->Int(1, 3);
    w.stride_w = random->Chance(0.7) ? w.stride_h : random->Int(1, 3);
    w.dilation_h = random->Chance(0.7) ? 1 : random->Int(2, 3);
    w.dilation_w = random->Chance(0.7) ? w.dilation_h : random->Int(1, 3);
    w.same = random->Chance(0.5);
    if (random->Chance(0.3)) {
      w.margin = {random->Int(0, 3), random->Int(0, 3), random->Int(0, 3), random->Int(0, 3)};
    }
    if (Fits(c.input, w)) return c;
  }
}

}  // namespace sbnn

#endif  // SBNN_TESTS_DELEGATE_ENGINE_CASES_H_
