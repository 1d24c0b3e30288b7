#define SBNN_ISA neon
#define SBNN_ISA_NAME "neon"
#include "delegate/kernels/isa.inl.h"

namespace sbnn {

Kernels NeonKernels() {
  return neon::Collect<15, 8, 6, 3, 5>({{0.64f, 1.07f, 2.01f, 4.02f}, 0.41f, 0.46f, 192});
}

}  // namespace sbnn
