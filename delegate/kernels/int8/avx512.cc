#define SBNN_ISA avx512
#define SBNN_REGISTERS 32
#include "delegate/kernels/int8/vec/avx512.h"

// Needs the vectors above.
#include "delegate/kernels/int8/isa.inl.h"

namespace sbnn {
namespace int8 {

Kernels Avx512Kernels() {
  return avx512::Collect<avx512::V512, avx512::V256, 5, 4, 3>(
      "avx512", {{4.f, 8.f, 16.f}, {6.f, 10.f, 18.f}});
}

}  // namespace int8
}  // namespace sbnn
