#include "delegate/engine/ops/int8/pool.h"

#include <algorithm>
#include <cstring>

#include "delegate/kernels/int8/table.h"

namespace sbnn {
namespace {

// Of an image, what has its pixels in a row: all channels, four, or one.
struct Planes {
  int together;  // channels of a pixel side by side
  int count;
  size_t stride;

  explicit Planes(const Tensor& t) {
    const int channels = t.images().c;
    together = t.layout == Layout::kFlat ? channels : t.layout == Layout::kQuads ? 4 : 1;
    count = (channels + together - 1) / together;
    stride = t.layout == Layout::kFlat ? together : t.plane_stride;
  }
};

constexpr int8_t kLeast = -128;
constexpr uint64_t kBandBytes = 16 << 10;  // stays in the L1 cache beside what it is made from

int Average(int32_t sum, int count) {
  return sum > 0 ? (sum + count / 2) / count : (sum - count / 2) / count;
}

}  // namespace

Status Int8Pool::InferShape(const std::vector<Shape>& inputs, Shape* output) const {
  if (inputs[0].size() != 4) return Status::Error("a pooling reads 4 dimensions");
  const Images image = AsImages(inputs[0]);
  PlacedWindow placed;
  const Status status = Place(window_, image, &placed);
  if (!status.ok()) return status;
  *output = {image.n, placed.out_h, placed.out_w, image.c};
  return Status();
}

Status Int8Pool::Plan(const std::vector<const Tensor*>& inputs, const Tensor&,
                      const PlanContext& context, uint64_t* scratch) {
  const Images in = inputs[0]->images();
  PlacedWindow placed;
  const Status status = Place(window_, in, &placed);
  if (!status.ok()) return status;
  rows_.clear();
  for (int y = 0; y < placed.out_h; ++y) {
    rows_.push_back(MetBy(y, in.h, window_.kernel_h, window_.stride_h, placed.pad_top));
  }
  columns_.clear();
  for (int x = 0; x < placed.out_w; ++x) {
    columns_.push_back(MetBy(x, in.w, window_.kernel_w, window_.stride_w, placed.pad_left));
  }
  pad_left_ = placed.pad_left;
  const uint64_t together = Planes(*inputs[0]).together;
  if (average_ || inputs[0]->layout == Layout::kFlat) {
    // A row of sums or maxima.
    worker_bytes_ = RoundUp(in.w * together * (average_ ? sizeof(int32_t) : 1), kVectorBytes);
  } else {
    // A band's rows, maxima of the image's rows and then a column of each window.
    const uint64_t row = std::max({1, in.w, placed.out_w}) * together;
    band_rows_ =
        static_cast<int>(std::clamp<int64_t>(kBandBytes / (2 * row), 1, std::max(1, placed.out_h)));
    worker_bytes_ = RoundUp(2 * band_rows_ * row + int8::kSlack, kVectorBytes);
  }
  *scratch = worker_bytes_ * context.threads;
  return Status();
}

// A row of the output from sums of `rows` rows of the image.
void Int8Pool::AverageRow(const int32_t* column, int together, int channels, int rows, int8_t* y,
                          const QuantizedLimits& l) const {
  for (const Met& met : columns_) {
    const int count = rows * met.count;
    for (int c = 0; c < channels; ++c, ++y) {
      const int32_t* x = column + static_cast<size_t>(met.first) * together + c;
      int32_t sum = *x;
      for (int i = 1; i < met.count; ++i) sum += *(x += together);
      const auto result = static_cast<int8_t>(Average(sum - count * zero_, count) + zero_);
      *y = std::min(l.hi, std::max(l.lo, result));
    }
  }
}

// Of an image whose channels lie side by side: a row of the output from the maxima of the image's.
void Int8Pool::MostOfRow(const int8_t* column, int channels, int8_t* y,
                         const int8::Elementwise& kernels) const {
  for (const Met& met : columns_) {
    const int8_t* x = column + static_cast<size_t>(met.first) * channels;
    std::memcpy(y, x, channels);
    for (int k = 1; k < met.count; ++k) kernels.maximum(x += channels, y, channels);
    y += channels;
  }
}

// Of a plane of quads, or of a panel's channel: rows [first, end) of the output. First rows meet,
// then columns, and both in a few long loops.
void Int8Pool::MostOfPlane(const int8_t* x, const Tensor& input, int first, int end, int8_t* work,
                           int8_t* y, const int8::Kernels& kernels) const {
  const int together = Planes(input).together, in_w = input.images().w;
  const int width = static_cast<int>(columns_.size());
  const int8::MaximumFn maximum = kernels.elementwise.maximum;
  const size_t in_row = static_cast<size_t>(in_w) * together;
  int8_t* to = work;
  for (int r = first, same; r < end; r += same, to += same * in_row) {
    same = 1;  // rows that meet as many, one after the other
    while (r + same < end && rows_[r + same].count == rows_[r].count &&
           rows_[r + same].first == rows_[r].first + same) {
      ++same;
    }
    const int8_t* from = x + rows_[r].first * in_row;
    std::memcpy(to, from, same * in_row);
    for (int k = 1; k < rows_[r].count; ++k) maximum(from += in_row, to, same * in_row);
  }

  const int rows = end - first;
  const size_t size = static_cast<size_t>(rows) * width * together;
  const auto shift_rows = together == 4 ? kernels.shift_quads : kernels.shift_bytes;
  for (int k = 0; k < window_.kernel_w; ++k) {
    int8_t* const column = k == 0 ? y : to;
    shift_rows({work, in_row, in_w, rows, column, width, window_.stride_w, k - pad_left_, kLeast});
    if (k > 0) maximum(column, y, size);
  }
}

void Int8Pool::Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
                   const RunContext& context) const {
  const int8::Kernels& kernels = *int8::KernelsOf(context.kernels.isa);
  const Tensor& input = *inputs[0];
  const Planes planes(input);
  const Images in = input.images(), out = output.images();
  const int together = planes.together;
  const size_t width = static_cast<size_t>(in.w) * together;
  const QuantizedLimits limits = Quantize(lo_, hi_, output.quantization);
  // An output of one pixel is flat, whatever the input is: planes are channels of it.
  const bool pixel = output.layout == Layout::kFlat && input.layout != Layout::kFlat;
  const size_t out_stride = pixel ? together : output.plane_stride;
  const auto limit = [&](int8_t* y, size_t count) {
    if (limits.lo > -128 || limits.hi < 127)
      kernels.elementwise.limit(y, count, limits.lo, limits.hi);
  };
  const bool by_row = input.layout == Layout::kFlat;
  const int tasks = by_row ? out.h : planes.count, rows = by_row ? 1 : out.h;
  context.team.Run(out.n * tasks, [&](int task, int worker) {
    const int n = task / tasks, rest = task % tasks;
    const int plane = by_row ? 0 : rest, first = by_row ? rest : 0;
    const auto* const x =
        static_cast<const int8_t*>(input.data) + n * input.image_stride + plane * planes.stride;
    int8_t* y = static_cast<int8_t*>(output.data) + n * output.image_stride + plane * out_stride +
                static_cast<size_t>(first) * out.w * together;
    const int channels = pixel ? std::min(together, out.c - plane * together) : together;
    auto* const scratch = static_cast<int8_t*>(context.ScratchOf(worker, worker_bytes_));
    if (!average_ && input.layout != Layout::kFlat) {
      // (Of one pixel, not all of a quad may be there.)
      int8_t quad[kQuad + int8::kSlack];
      const size_t row = static_cast<size_t>(out.w) * together;
      for (int band = 0; band < rows; band += band_rows_) {
        const int end = std::min(rows, band + band_rows_);
        int8_t* const to = pixel ? quad : y + band * row;
        MostOfPlane(x, input, first + band, first + end, scratch, to, kernels);
        limit(to, (end - band) * row);
      }
      if (pixel) std::memcpy(y, quad, channels);
      return;
    }
    for (int row = first; row < first + rows; ++row, y += static_cast<size_t>(out.w) * together) {
      const Met met = rows_[row];
      const int8_t* from = x + met.first * width;
      if (average_) {
        auto* const sums = reinterpret_cast<int32_t*>(scratch);
        std::fill_n(sums, width, 0);
        for (int r = 0; r < met.count; ++r, from += width) {
          kernels.elementwise.accumulate(from, sums, width);
        }
        AverageRow(sums, together, channels, met.count, y, limits);
      } else {
        std::memcpy(scratch, from, width);
        for (int r = 1; r < met.count; ++r) {
          kernels.elementwise.maximum(from += width, scratch, width);
        }
        MostOfRow(scratch, together, y, kernels.elementwise);
        limit(y, static_cast<size_t>(out.w) * together);
      }
    }
  });
}

}  // namespace sbnn
