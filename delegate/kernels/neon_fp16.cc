#include "delegate/kernels/vec/neon_fp16.h"

// Needs the vectors above.
#include "delegate/kernels/isa.inl.h"

namespace sbnn {

Kernels NeonFp16Kernels() {
  return neon_fp16::Collect<15, 8, 6, 3, 5>({{0.64f, 1.07f, 2.01f, 4.02f}, 0.3f, 0.41f, 192});
}

}  // namespace sbnn
