#define SBNN_ISA neon
#define SBNN_ISA_NAME "neon"
#include "delegate/kernels/isa.inl.h"

namespace sbnn {

Kernels NeonKernels() { return neon::Collect<16, 8, 6, 3>(0.62f, 1.1f, 2.f, 4.05f); }

}  // namespace sbnn
