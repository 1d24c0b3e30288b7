#include "delegate/engine/ops/int8/resize.h"

#include <algorithm>
#include <cmath>

namespace sbnn {
namespace {

constexpr int kShareBits = 11;

}  // namespace

std::vector<Int8Bilinear::Between> Int8Bilinear::Place(int in, int out) const {
  const int less = align_corners_ && out != 1 ? 1 : 0;
  const float scale = static_cast<float>(in - less) / static_cast<float>(out - less);
  const float last = static_cast<float>(in - 1);
  const float offset = half_pixel_centers_ ? 0.5f * scale - 0.5f : 0.0f;
  std::vector<Between> places;
  for (int i = 0; i < out; ++i) {
    float at = static_cast<float>(i) * scale;
    if (half_pixel_centers_) at = std::max(at + offset, 0.0f);
    at = std::min(at, last);
    const int first = static_cast<int>(at);
    const float share = at - static_cast<float>(first);
    places.push_back({first, std::min(first + 1, in - 1),
                      static_cast<int32_t>(std::lrint(share * (1 << kShareBits)))});
  }
  return places;
}

Status Int8Bilinear::Plan(const std::vector<const Tensor*>& inputs, const Tensor& output,
                          const PlanContext&, uint64_t*) {
  const Images in = inputs[0]->images(), out = output.images();
  rows_ = Place(in.h, out.h);
  columns_ = Place(in.w, out.w);
  return Status();
}

void Int8Bilinear::Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
                       const RunContext& context) const {
  constexpr int32_t kHalf = 1 << (2 * kShareBits - 1);
  const Tensor& input = *inputs[0];
  const size_t width = input.images().w;
  const Images out = output.images();
  context.team.Run(out.n * out.c, [&](int task, int) {
    const int n = task / out.c, c = task % out.c;
    const int8_t* const x = input.bytes(n, c);
    int8_t* y = output.bytes(n, c);
    for (const Between& row : rows_) {
      const int8_t *const top = x + row.first * width, *const bottom = x + row.second * width;
      for (const Between& column : columns_) {
        const int32_t left = top[column.first], below_left = bottom[column.first];
        const int32_t above = left * (1 << kShareBits) + (top[column.second] - left) * column.share;
        const int32_t below =
            below_left * (1 << kShareBits) + (bottom[column.second] - below_left) * column.share;
        const int32_t all = above * (1 << kShareBits) + (below - above) * row.share;
        *y++ = static_cast<int8_t>((all + kHalf) >> (2 * kShareBits));
      }
    }
  });
}

}  // namespace sbnn
