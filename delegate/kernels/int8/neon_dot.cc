#define SBNN_ISA neon_dot
#define SBNN_DOT
#include "delegate/kernels/int8/vec/neon.h"

// Needs the vectors above.
#include "delegate/kernels/int8/isa.inl.h"

namespace sbnn {
namespace int8 {

Kernels NeonDotKernels() {
  return neon_dot::Collect<neon_dot::V128, neon_dot::V128, 6, 6, 4>(
      "neon_dot", {{1.35f, 2.f, 4.f}, {6.f, 6.f, 6.f}});
}

}  // namespace int8
}  // namespace sbnn
