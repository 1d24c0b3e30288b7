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

std::vector<Int8Pool::Met> Int8Pool::MetBy(int outputs, int size, int kernel, int stride, int pad) {
  std::vector<Met> met;
  for (int o = 0; o < outputs; ++o) {
    const int first = o * stride - pad;
    met.push_back({std::max(0, first), std::min(size, first + kernel)});
  }
  return met;
}

Status Int8Pool::Plan(const std::vector<const Tensor*>& inputs, const Tensor&,
                      const PlanContext& context, uint64_t* scratch) {
  const Images in = inputs[0]->images();
  PlacedWindow placed;
  const Status status = Place(window_, in, &placed);
  if (!status.ok()) return status;
  rows_ = MetBy(placed.out_h, in.h, window_.kernel_h, window_.stride_h, placed.pad_top);
  columns_ = MetBy(placed.out_w, in.w, window_.kernel_w, window_.stride_w, placed.pad_left);
  const uint64_t row = uint64_t(in.w) * Planes(*inputs[0]).together;
  worker_bytes_ = RoundUp(row * (average_ ? sizeof(int32_t) : 1), kVectorBytes);
  *scratch = worker_bytes_ * context.threads;
  return Status();
}

// A row of the output from sums or maxima of `rows` rows of the image.
template <typename T>
void Int8Pool::RunRow(const T* column, int together, int channels, int rows, int8_t* y,
                      const QuantizedLimits& l) const {
  for (const Met& met : columns_) {
    for (int c = 0; c < channels; ++c, ++y) {
      const T* x = column + static_cast<size_t>(met.first) * together + c;
      T all = *x;
      for (int i = met.first + 1; i < met.end; ++i) {
        x += together;
        all = average_ ? static_cast<T>(all + *x) : std::max(all, *x);
      }
      const int count = rows * (met.end - met.first);
      const auto result = static_cast<int8_t>(average_ ? Average(all - count * zero_, count) + zero_
                                                       : static_cast<int>(all));
      *y = std::min(l.hi, std::max(l.lo, result));
    }
  }
}

void Int8Pool::Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
                   const RunContext& context) const {
  const int8::Elementwise& kernels = int8::KernelsOf(context.kernels.isa)->elementwise;
  const Tensor& input = *inputs[0];
  const Planes planes(input);
  const Images in = input.images(), out = output.images();
  const int together = planes.together;
  const size_t width = static_cast<size_t>(in.w) * together;
  const QuantizedLimits limits = Quantize(lo_, hi_, output.quantization);
  // An output of one pixel is flat, whatever the input is: planes are channels of it.
  const bool pixel = output.layout == Layout::kFlat && input.layout != Layout::kFlat;
  const size_t out_stride = pixel ? together : output.plane_stride;
  const int tasks = planes.count * (planes.count == 1 ? out.h : 1),
            rows = planes.count == 1 ? 1 : out.h;
  context.team.Run(out.n * tasks, [&](int task, int worker) {
    const int n = task / tasks, rest = task % tasks;
    const int plane = planes.count == 1 ? 0 : rest, first = planes.count == 1 ? rest : 0;
    const auto* const x =
        static_cast<const int8_t*>(input.data) + n * input.image_stride + plane * planes.stride;
    int8_t* y = static_cast<int8_t*>(output.data) + n * output.image_stride + plane * out_stride +
                static_cast<size_t>(first) * out.w * together;
    const int channels = pixel ? std::min(together, out.c - plane * together) : together;
    void* const scratch = context.ScratchOf(worker, worker_bytes_);
    for (int row = first; row < first + rows; ++row, y += static_cast<size_t>(out.w) * together) {
      const Met met = rows_[row];
      const int8_t* from = x + met.first * width;
      if (average_) {
        auto* const sums = static_cast<int32_t*>(scratch);
        std::fill_n(sums, width, 0);
        for (int r = met.first; r < met.end; ++r, from += width) {
          kernels.accumulate(from, sums, width);
        }
        RunRow(sums, together, channels, met.end - met.first, y, limits);
      } else {
        auto* const most = static_cast<int8_t*>(scratch);
        std::memcpy(most, from, width);
        for (int r = met.first + 1; r < met.end; ++r) {
          from += width;
          kernels.maximum(from, most, width);
        }
        RunRow(most, together, channels, 1, y, limits);
      }
    }
  });
}

}  // namespace sbnn
