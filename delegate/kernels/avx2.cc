#include "delegate/kernels/vec/avx2.h"

// Needs the vectors above.
#include "delegate/kernels/isa.inl.h"

namespace sbnn {

Kernels Avx2Kernels() {
  return avx2::Collect<12, 5, 3, 1, 5>({{1.28f, 1.4f, 2.2f, 4.5f}, 0.31f, 0.5f, 192});
}

}  // namespace sbnn
