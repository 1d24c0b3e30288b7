#define SBNN_ISA avx512vnni
#define SBNN_REGISTERS 32
#define SBNN_VNNI
#include "delegate/kernels/int8/vec/avx512.h"

// Needs the vectors above.
#include "delegate/kernels/int8/isa.inl.h"

namespace sbnn {
namespace int8 {

Kernels Avx512VnniKernels() {
  return avx512vnni::Collect<avx512vnni::V512, avx512vnni::V256, 6, 4, 3>(
      "avx512vnni", {{1.7f, 2.3f, 4.3f}, {4.f, 4.4f, 5.2f}});
}

}  // namespace int8
}  // namespace sbnn
