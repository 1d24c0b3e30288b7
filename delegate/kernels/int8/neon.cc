#define SBNN_ISA neon
#include "delegate/kernels/int8/vec/neon.h"

// Needs the vectors above.
#include "delegate/kernels/int8/isa.inl.h"

namespace sbnn {
namespace int8 {

Kernels NeonKernels() {
#if defined(__aarch64__)
  return neon::Collect<neon::V128, neon::V128, 4, 4, 2>("neon",
                                                        {{4.f, 8.f, 16.f}, {6.f, 10.f, 18.f}});
#else
  return neon::Collect<neon::V128, neon::V128, 3, 2, 1>("neon",
                                                        {{4.f, 8.f, 16.f}, {6.f, 10.f, 18.f}});
#endif
}

}  // namespace int8
}  // namespace sbnn
