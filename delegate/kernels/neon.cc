#include "delegate/kernels/vec/neon.h"

// Needs the vectors above.
#include "delegate/kernels/isa.inl.h"

namespace sbnn {

Kernels NeonKernels() {
#if defined(__aarch64__)
  return neon::Collect<15, 8, 6, 3, 5>({{0.62f, 1.01f, 2.0f, 4.0f}, 0.3f, 0.41f, 192});
#else
  // 16 registers. Costs are counted: a cycle for a multiplication, a load of pixels, and half of
  // one for a weight's.
  return neon::Collect<8, 5, 3, 1, 4>({{2.1f, 3.2f, 5.4f, 10.f}, 0.8f, 1.4f, 192});
#endif
}

}  // namespace sbnn
