#include "delegate/kernels/int8/pack_depthwise.h"

#include <cstddef>

namespace sbnn {
namespace int8 {

std::vector<int8_t> PackDepthwise(const int8_t* weights, int channels, int window, int stride) {
  const int rows = stride == 1 ? 2 : 1, sets = window > 3 ? 2 : 1;
  std::vector<int8_t> packed;
  packed.reserve(static_cast<size_t>((channels + 3) / 4) * rows * sets * window * 16);
  for (int first = 0; first < channels; first += 4) {
    for (int r = 0; r < rows; ++r) {
      for (int i = 0; i < sets * window * 16; ++i) {
        const int set = i / 16 / window, column = i / 16 % window;
        const int channel = first + i / 4 % 4, row = 4 * set + i % 4 - r;
        const bool there = channel < channels && row >= 0 && row < window;
        const size_t tap = static_cast<size_t>(row) * window + column;
        packed.push_back(there ? weights[tap * channels + channel] : int8_t{0});
      }
    }
  }
  return packed;
}

}  // namespace int8
}  // namespace sbnn
