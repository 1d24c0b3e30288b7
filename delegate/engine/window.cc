#include "delegate/engine/window.h"

#include <algorithm>
#include <string>

namespace sbnn {
namespace {

Status PlaceAxis(int size, int kernel, int stride, int dilation, bool same, int before, int after,
                 int* out, int* pad) {
  if (kernel <= 0 || stride <= 0 || dilation <= 0) {
    return Status::Error("kernel, stride and dilation must be positive");
  }
  const int64_t reach = static_cast<int64_t>(kernel - 1) * dilation + 1;
  const int64_t total = static_cast<int64_t>(size) + before + after;
  if (same) {
    *out = static_cast<int>((total + stride - 1) / stride);
    const int64_t missing = std::max<int64_t>(0, (*out - 1) * int64_t{stride} + reach - total);
    *pad = static_cast<int>(before + missing / 2);
    return Status();
  }
  // As TensorFlow Lite computes it: a window a little larger than the image gives an empty output.
  const int64_t places = (total - reach + stride) / stride;
  if (places < 0) {
    return Status::Error("a window of " + std::to_string(reach) + " does not fit an image of " +
                         std::to_string(total));
  }
  *out = static_cast<int>(places);
  *pad = before;
  return Status();
}

}  // namespace

Status Place(const Window& w, const Images& image, PlacedWindow* placed) {
  const Status status = PlaceAxis(image.h, w.kernel_h, w.stride_h, w.dilation_h, w.same,
                                  w.margin.top, w.margin.bottom, &placed->out_h, &placed->pad_top);
  if (!status.ok()) return status;
  return PlaceAxis(image.w, w.kernel_w, w.stride_w, w.dilation_w, w.same, w.margin.left,
                   w.margin.right, &placed->out_w, &placed->pad_left);
}

Met MetBy(int output, int size, int kernel, int stride, int pad) {
  const int64_t begin = int64_t{output} * stride - pad;
  const int64_t first = std::max<int64_t>(0, begin), end = std::min<int64_t>(size, begin + kernel);
  return {static_cast<int>(first), static_cast<int>(end - first)};
}

std::vector<float> MetShares(int outputs, int size, int kernel, int stride, int pad) {
  std::vector<float> shares;
  for (int o = 0; o < outputs; ++o) {
    const Met met = MetBy(o, size, kernel, stride, pad);
    shares.push_back(1.0f / static_cast<float>(std::max(1, met.count)));
  }
  return shares;
}

Rows RowsMet(const Window& w, const Shape& shape, Rows output) {
  const Images image = AsImages(shape);
  PlacedWindow placed;
  if (!Place(w, image, &placed).ok()) return {};
  const int reach = (w.kernel_h - 1) * w.dilation_h + 1;
  Rows rows;
  rows.first = std::max(0, output.first * w.stride_h - placed.pad_top);
  rows.end = std::min(image.h, (output.end - 1) * w.stride_h - placed.pad_top + reach);
  return rows;
}

}  // namespace sbnn
