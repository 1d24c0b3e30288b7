#include "delegate/kernels/vec/scalar.h"

// Needs the vectors above.
#include "delegate/kernels/isa.inl.h"

namespace sbnn {

Kernels ScalarKernels() {
  return scalar::Collect<4, 3, 2, 1, 3>({{1.2f, 2.1f, 4.f, 8.f}, 1.1f, 0.f, 16});
}

}  // namespace sbnn
