// The arithmetic of sliding windows: output sizes and padding as TensorFlow defines them.
#ifndef SBNN_DELEGATE_ENGINE_WINDOW_H_
#define SBNN_DELEGATE_ENGINE_WINDOW_H_

#include <vector>

#include "delegate/engine/op.h"
#include "delegate/engine/tensor.h"
#include "delegate/format/status.h"

namespace sbnn {

struct Window {
  int kernel_h = 1, kernel_w = 1;
  int stride_h = 1, stride_w = 1;
  int dilation_h = 1, dilation_w = 1;
  bool same = false;  // SAME padding, otherwise VALID
  Margin margin;      // zeros around the image before that padding
};

// A window on an image of given size.
struct PlacedWindow {
  int out_h = 0, out_w = 0;
  int pad_top = 0, pad_left = 0;  // padding and margin together
};

Status Place(const Window& window, const Images& image, PlacedWindow* placed);

// Of an axis of an image, the positions that the window of an output position meets.
struct Met {
  int first, count;
};
Met MetBy(int output, int size, int kernel, int stride, int pad);

// Of each output position of an axis: 1 / how many positions its window meets, 1 where it meets
// none.
std::vector<float> MetShares(int outputs, int size, int kernel, int stride, int pad);

// The rows of an image, a shape that the window fits, that the windows of some output rows meet.
Rows RowsMet(const Window& window, const Shape& image, Rows output);

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_WINDOW_H_
