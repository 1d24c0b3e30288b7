// Pooling of small windows, 1 or 2 apart, over planes as they are: nothing is copied.
#ifndef SBNN_DELEGATE_ENGINE_DIRECT_POOL_H_
#define SBNN_DELEGATE_ENGINE_DIRECT_POOL_H_

#include <vector>

#include "delegate/engine/op.h"
#include "delegate/engine/tensor.h"
#include "delegate/engine/values.h"
#include "delegate/engine/window.h"
#include "delegate/kernels/table.h"

namespace sbnn {

class DirectPool {
 public:
  // Whether there is a kernel for it, and room around the planes.
  static bool Fits(const Window& window, const PlacedWindow& placed, const Tensor& input,
                   const Tensor& output);

  void Plan(const Window& window, const PlacedWindow& placed, const Images& in, bool average,
            const Kernels& kernels);
  int channels_per_task() const { return channels_per_task_; }

  // Rows of the output's channels from `first` to before `end`.
  void Run(const Tensor& input, const Tensor& output, int n, int first, int end, Rows rows,
           float lo, float hi) const;

 private:
  PlacedWindow placed_;
  PoolDirectFn kernel_ = nullptr;
  bool average_ = false;
  float outside_ = 0;
  int channels_per_task_ = 1;
  std::vector<float> row_scale_, column_scale_;  // 1 / how many rows and columns a window meets
  Values row_scales_, column_scales_;            // the same for the kernels
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_DIRECT_POOL_H_
