// Weights in the order in which the depthwise kernels of 3 x 3 and 5 x 5 read them.
#ifndef SBNN_DELEGATE_KERNELS_INT8_PACK_DEPTHWISE_H_
#define SBNN_DELEGATE_KERNELS_INT8_PACK_DEPTHWISE_H_

#include <cstdint>
#include <vector>

namespace sbnn {
namespace int8 {

// For each quad of channels, each output row of a step (two with stride 1), each four rows of the
// input and each column of the window: four channels' weights at four rows, [channel][row], zeros
// where the output row reads nothing. `weights`: [window * window][channels], none of them -128.
std::vector<int8_t> PackDepthwise(const int8_t* weights, int channels, int window, int stride);

}  // namespace int8
}  // namespace sbnn

#endif  // SBNN_DELEGATE_KERNELS_INT8_PACK_DEPTHWISE_H_
