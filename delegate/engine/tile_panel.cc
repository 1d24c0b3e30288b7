#include "delegate/engine/tile_panel.h"

#include <cstring>

namespace sbnn {
namespace {

constexpr size_t kPiece = 16;  // bytes that are copied at once
constexpr int kMostPieces = 3;

// (The last pieces of a channel lie over the next one's first, which are copied later.)
template <int kPieces>
void Copy(const char* from, size_t from_stride, char* to, size_t to_stride, int channels) {
  for (int c = 0; c < channels; ++c, from += from_stride, to += to_stride) {
    for (int p = 0; p < kPieces; ++p) std::memcpy(to + p * kPiece, from + p * kPiece, kPiece);
  }
}
constexpr decltype(&Copy<1>) kCopies[kMostPieces] = {&Copy<1>, &Copy<2>, &Copy<3>};

}  // namespace

void TilePanel::Plan(size_t width, int channels, size_t plane_stride, const Kernels& kernels) {
  stride_ = width;
  plane_stride_ = plane_stride;
  channels_ = channels;
  element_ = BytesOf(kernels.type);
  pieces_ = static_cast<int>((width * element_ + kPiece - 1) / kPiece);
  used_ =
      kernels.copied_channels > 0 && channels >= kernels.copied_channels && pieces_ <= kMostPieces;
  bytes_ = used_ ? RoundUp(stride_ * channels * element_ + kPiece, kVectorBytes) : 0;
}

const void* TilePanel::Fill(const void* x, void* panel) const {
  if (!used_) return x;
  kCopies[pieces_ - 1](static_cast<const char*>(x), plane_stride_ * element_,
                       static_cast<char*>(panel), stride_ * element_, channels_);
  return panel;
}

}  // namespace sbnn
