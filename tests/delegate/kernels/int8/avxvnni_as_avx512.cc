// The kernels of AVX-VNNI in AVX-512's encoding of the same instructions: for CPUs that have no
// other.
#define SBNN_ISA avxvnni_as_avx512
#define SBNN_REGISTERS 16
#define SBNN_VNNI
#include "delegate/kernels/int8/vec/avx.h"

// Needs the vectors above.
#include "delegate/kernels/int8/isa.inl.h"

namespace sbnn {
namespace int8 {

Kernels AvxVnniAsAvx512Kernels() {
  using V = avxvnni_as_avx512::V256;
  return avxvnni_as_avx512::Collect<V, V, 5, 4, 2>("avxvnni_as_avx512", {});
}

}  // namespace int8
}  // namespace sbnn
