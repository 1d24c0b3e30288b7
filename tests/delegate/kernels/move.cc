// What moves elements, or adds them up.
#include <algorithm>
#include <cstddef>

#include "delegate/format/float16.h"
#include "delegate/kernels/table.h"
#include "gtest/gtest.h"
#include "tests/delegate/guarded.h"
#include "tests/delegate/kernels/testing.h"
#include "tests/delegate/random.h"

namespace sbnn {
namespace {

template <typename T>
void TestPadRow(const KernelRow& row) {
  const Kernels& k = *row.kernels;
  const int lanes = k.lanes;
  Random random(5);
  for (int width = 1; width <= 4 * lanes + 3; ++width) {
    for (int stride : {1, 2, 3}) {
      for (size_t x_stride : {1, 3}) {
        for (int pad : {0, 1, 2, 3, 5, lanes, 2 * lanes + 1}) {
          // From cropped to far behind the source.
          const int whole = (pad + width + stride - 1) / stride;
          const int length = std::max(1, whole + random.Int(-lanes - 2, lanes + 2));
          const bool empty = random.Chance(0.1);
          const Edge edge = kEdges[random.Int(0, 1)];
          // A contiguous row may be read in whole vectors, one for each of two phases; a strided
          // one lies in the caller's memory.
          const size_t pixels = (width - 1) * x_stride + 1;
          const size_t room = x_stride > 1 ? 0 : stride == 2 ? 2 * lanes - 1 : lanes - 1;
          Guarded<T> x(pixels + room, edge);
          std::fill(x.begin(), x.end(), kNaN);
          for (int i = 0; i < width; ++i) x[i * x_stride] = random.NonZero();
          const size_t phase_stride = length + lanes + 3;
          Guarded<T> y((stride - 1) * phase_stride + length + lanes, edge);
          PadRowArgs a{};
          a.x = empty ? nullptr : x.data();
          a.x_stride = x_stride;
          a.width = width;
          a.y = y.data();
          a.phase_stride = phase_stride;
          a.stride = stride;
          a.pad = pad;
          a.length = length;
          a.fill = random.Pick<float>({0, -kInfinity, 7});
          k.pad_row(a);
          for (size_t i = 0; i < y.size(); ++i) {
            const int phase = static_cast<int>(i / phase_stride);
            const int position = static_cast<int>(i % phase_stride);
            if (position >= length + lanes) {
              ASSERT_TRUE(y.Untouched(i));
            }
            if (position >= length) continue;
            const int source = position * stride + phase - pad;
            const bool inside = !empty && source >= 0 && source < width;
            ASSERT_EQ(y[i], inside ? float{x[source * x_stride]} : a.fill)
                << "width " << width << " stride " << stride << " x_stride " << x_stride << " pad "
                << pad << " length " << length << " phase " << phase << " position " << position;
          }
          ASSERT_TRUE(y.Intact());
        }
      }
    }
  }
}

template <typename T>
void TestShiftRows(const KernelRow& row) {
  const Kernels& k = *row.kernels;
  const int lanes = k.lanes;
  Random random(15);
  for (int width = 1; width <= 4 * lanes + 3; ++width) {
    for (int stride : {1, 2, 3}) {
      for (size_t x_stride : {1, 3}) {
        for (int shift : {0, 1, 2, 5, lanes, 5 * lanes, -1, -2, -3, -lanes - 1, -5 * lanes}) {
          const int rows = random.Int(1, 4);
          const int length = std::max(1, width / stride + random.Int(-lanes - 2, lanes + 2));
          const size_t row_stride = width * x_stride + random.Int(0, 3);
          // A vector on either side of a row may be read where its pixels are contiguous; otherwise
          // they lie in the caller's memory.
          const size_t room = x_stride == 1 ? lanes : 0;
          const size_t last = (rows - 1) * row_stride + (width - 1) * x_stride + 1;
          Guarded<T> memory(room + last + room, kEdges[random.Int(0, 1)]);
          std::fill(memory.begin(), memory.end(), kNaN);
          T* const x = memory.begin() + room;
          for (int r = 0; r < rows; ++r) {
            for (int i = 0; i < width; ++i) x[r * row_stride + i * x_stride] = random.NonZero();
          }
          const size_t count = static_cast<size_t>(rows) * length;
          Guarded<T> y(count + lanes, kEdges[random.Int(0, 1)]);
          k.shift_rows({x, row_stride, x_stride, width, rows, y.data(), length, stride, shift});
          for (size_t i = 0; i < count; ++i) {
            const size_t r = i / length;
            const int source = static_cast<int>(i % length) * stride + shift;
            const bool inside = source >= 0 && source < width;
            ASSERT_EQ(y[i], inside ? float{x[r * row_stride + source * x_stride]} : 0.0f)
                << "width " << width << " stride " << stride << " x_stride " << x_stride
                << " shift " << shift << " length " << length << " element " << i;
          }
          ASSERT_TRUE(y.Intact());
        }
      }
    }
  }
}

template <typename T>
void TestTranspose(const KernelRow& row) {
  const Kernels& k = *row.kernels;
  Random random(8);
  for (size_t rows : {1, 2, 7, 16, 17, 33, 50}) {
    for (size_t columns : {1, 2, 3, 15, 16, 31, 40}) {
      for (Edge edge : kEdges) {
        const bool dense = random.Chance(0.5);
        const size_t x_stride = columns + (dense ? 0 : random.Int(1, 5));
        const size_t y_stride = rows + (dense ? 0 : random.Int(1, 5));
        const Guarded<T> x(random.Floats((rows - 1) * x_stride + columns), edge);
        Guarded<T> y((columns - 1) * y_stride + rows, edge);
        k.transpose({x.data(), x_stride, y.data(), y_stride, rows, columns});
        for (size_t i = 0; i < y.size(); ++i) {
          const size_t c = i / y_stride, r = i % y_stride;
          if (r >= rows) {
            ASSERT_TRUE(y.Untouched(i));
          } else {
            ASSERT_EQ(y[i], x[r * x_stride + c]);
          }
        }
        ASSERT_TRUE(y.Intact());
      }
    }
  }
}

template <typename T>
void TestSum(const KernelRow& row) {
  const Kernels& k = *row.kernels;
  Random random(7);
  for (int count = 0; count <= 6 * k.lanes + 3; ++count) {
    for (Edge edge : kEdges) {
      const Guarded<T> x(random.Floats(count), edge);
      double want = 0;
      for (int i = 0; i < count; ++i) want += x[i];
      ASSERT_EQ(k.sum(x.data(), count), want) << count;
    }
  }
}

}  // namespace

void PadRowAsTheReference(const KernelRow& row) {
  IsFp16(row) ? TestPadRow<Float16>(row) : TestPadRow<float>(row);
}
void ShiftRowsAsTheReference(const KernelRow& row) {
  IsFp16(row) ? TestShiftRows<Float16>(row) : TestShiftRows<float>(row);
}
void TransposeAsTheReference(const KernelRow& row) {
  IsFp16(row) ? TestTranspose<Float16>(row) : TestTranspose<float>(row);
}
void SumAsTheReference(const KernelRow& row) {
  IsFp16(row) ? TestSum<Float16>(row) : TestSum<float>(row);
}

}  // namespace sbnn
