#include "delegate/kernels/vec/avx512.h"

// Needs the vectors above.
#include "delegate/kernels/isa.inl.h"

namespace sbnn {

Kernels Avx512Kernels() {
  return avx512::Collect<16, 8, 6, 3, 5>({{2.5f, 2.8f, 4.1f, 8.3f}, 0.6f, 0.9f, 96});
}

}  // namespace sbnn
