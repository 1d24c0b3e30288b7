// An image of floats, rounded to int8 for a layer whose weights are int8 ("dynamic range").
#ifndef SBNN_DELEGATE_ENGINE_ROUNDED_IMAGE_H_
#define SBNN_DELEGATE_ENGINE_ROUNDED_IMAGE_H_

#include <cstddef>
#include <cstdint>

#include "delegate/engine/tensor.h"
#include "delegate/engine/thread_pool.h"
#include "delegate/kernels/int8/table.h"

namespace sbnn {

// The least and the most of image n, if less or more than what these are before.
void RangeOfImage(const Tensor& input, int n, const int8::Kernels& kernels, Team& team,
                  float* least, float* most);

class RoundedImage {
 public:
  // `layout`: of int8. `by_pixel`: each pixel has a scale and a zero point of its own; else all of
  // an image share one.
  void Plan(const Tensor& input, Layout layout, bool by_pixel);

  // Of int8, of one image, which is where the scratch is; its zero point is that of a whole image.
  Tensor Place(void* scratch) const;

  uint64_t bytes() const { return bytes_; }  // of scratch

  // Rounds image n of the input into the scratch.
  Tensor Round(const Tensor& input, int n, void* scratch, const int8::Kernels& kernels,
               Team& team) const;

  // What products take back, of each pixel; by images, of as many pixels as a tile may have.
  const float* scales(void* scratch) const { return At<float>(scratch, 1); }
  const int32_t* zero_points(void* scratch) const { return At<int32_t>(scratch, 2); }

 private:
  // Three arrays, of an element for each pixel: scales, scales back, zero points.
  template <typename T>
  T* At(void* scratch, int array) const {
    return reinterpret_cast<T*>(static_cast<char*>(scratch) + array * array_bytes_);
  }
  void RoundPixels(const Tensor& input, int n, const Tensor& image, void* scratch,
                   const int8::Kernels& kernels, Team& team) const;
  int RoundWhole(const Tensor& input, int n, const Tensor& image, void* scratch,
                 const int8::Kernels& kernels, Team& team) const;

  Tensor image_;
  bool by_pixel_ = false;
  uint64_t array_bytes_ = 0, bytes_ = 0;
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_ROUNDED_IMAGE_H_
