#define SBNN_ISA neon
#define SBNN_ISA_NAME "neon"
#include "delegate/kernels/isa.inl.h"

namespace sbnn {

Kernels NeonKernels() {
  return neon::Collect<15, 8, 6, 3, 5>({{0.62f, 1.01f, 2.0f, 4.0f}, 0.41f, 0.46f, 192});
}

}  // namespace sbnn
