// What moves bytes of int8 images.
#include <vector>

#include "gtest/gtest.h"
#include "tests/delegate/kernels/int8/testing.h"

namespace sbnn {
namespace int8 {

void ShiftRowsAsTheReference(const KernelRow& row) {
  Random random(5);
  for (int round = 0; round < 200; ++round) {
    const int element = random.Chance(0.5) ? 4 : 1;
    const ShiftRowsFn shift_rows =
        element == 4 ? row.kernels->shift_quads : row.kernels->shift_bytes;
    const int width = random.Int(1, 40), rows = random.Int(1, 3), length = random.Int(1, 40);
    const int stride = random.Int(1, 3), shift = random.Int(-50, 50);
    const size_t row_stride = (width + random.Int(0, 2)) * element;
    const Guarded<int8_t> x(
        Bytes((rows - 1) * row_stride + width * element + kSlack, -128, &random),
        random.Pick<Edge>({Edge::kBegin, Edge::kEnd}));
    Guarded<int8_t> y(rows * length * element + kSlack);
    shift_rows({x.data(), row_stride, width, rows, y.data(), length, stride, shift, 77});
    for (int r = 0; r < rows; ++r) {
      for (int i = 0; i < length * element; ++i) {
        const int from = i / element * stride + shift;
        const bool inside = from >= 0 && from < width;
        ASSERT_EQ(y[r * length * element + i],
                  inside ? x[r * row_stride + from * element + i % element] : 77);
      }
    }
    ASSERT_TRUE(y.Intact());
  }
}

void GatherAsTheReference(const KernelRow& row) {
  Random random(6);
  for (int round = 0; round < 100; ++round) {
    const int count = random.Int(1, 40);
    const size_t pixel = random.Int(1, 14);
    const int reach = random.Int(4, 12), rows = random.Int(1, 3);
    const size_t row_bytes = (count - 1) * pixel + reach, x_row = row_bytes + random.Int(0, 5);
    const Guarded<int8_t> x(Bytes((rows - 1) * x_row + row_bytes, -128, &random));
    GatherArgs args = {x.data(), x_row, pixel, {}, rows, count, nullptr};
    const bool together = random.Chance(0.5);
    const int first = random.Int(0, reach - 4);
    for (int k = 0; k < 4; ++k) args.at[k] = together ? first + k : random.Int(-1, reach - 1);
    Guarded<int8_t> y(4 * rows * count);
    args.y = y.data();
    row.kernels->gather(args);
    for (int i = 0; i < 4 * rows * count; ++i) {
      const int at = args.at[i % 4], in_row = i / 4 % count;
      ASSERT_EQ(y[i], at < 0 ? 0 : x[i / 4 / count * x_row + in_row * pixel + at]);
    }
    ASSERT_TRUE(y.Intact());
  }
}

namespace {

enum class Form { kFlat, kQuads, kPanel };

size_t Place(Form form, size_t stride, size_t pixel, int channel) {
  switch (form) {
    case Form::kFlat:
      return pixel * stride + channel;
    case Form::kQuads:
      return channel / 4 * stride + pixel * 4 + channel % 4;
    default:
      return channel * stride + pixel;
  }
}

void TestRelayout(RelayoutFn relayout, Form from, Form to) {
  Random random(7);
  for (int channels : {1, 3, 4, 5, 8, 13}) {
    for (size_t pixels : {1, 2, 63, 64, 65, 200}) {
      const auto stride = [&](Form form) {
        return (form == Form::kFlat    ? channels
                : form == Form::kQuads ? 4 * pixels
                                       : pixels) +
               random.Int(0, 3);
      };
      const size_t quads = (channels + 3) / 4;
      const auto size = [&](Form form, size_t s) {
        return form == Form::kFlat    ? (pixels - 1) * s + channels
               : form == Form::kQuads ? (quads - 1) * s + 4 * pixels
                                      : (channels - 1) * s + pixels;
      };
      const size_t x_stride = stride(from), y_stride = stride(to);
      const Guarded<int8_t> x(Bytes(size(from, x_stride), -128, &random));
      Guarded<int8_t> y(size(to, y_stride));
      relayout({x.data(), x_stride, y.data(), y_stride, pixels, channels});
      for (size_t p = 0; p < pixels; ++p) {
        for (int c = 0; c < channels; ++c) {
          ASSERT_EQ(y[Place(to, y_stride, p, c)], x[Place(from, x_stride, p, c)]);
        }
      }
      ASSERT_TRUE(y.Intact());
    }
  }
}

}  // namespace

void RelayoutAsTheReference(const KernelRow& row) {
  const Kernels& k = *row.kernels;
  TestRelayout(k.flat_to_quads, Form::kFlat, Form::kQuads);
  TestRelayout(k.quads_to_flat, Form::kQuads, Form::kFlat);
  TestRelayout(k.flat_to_panel, Form::kFlat, Form::kPanel);
  TestRelayout(k.panel_to_flat, Form::kPanel, Form::kFlat);
  TestRelayout(k.quads_to_panel, Form::kQuads, Form::kPanel);
  TestRelayout(k.panel_to_quads, Form::kPanel, Form::kQuads);
}

}  // namespace int8
}  // namespace sbnn
