#define SBNN_ISA avxvnni
#define SBNN_REGISTERS 16
#define SBNN_VNNI
#define SBNN_VEX
#include "delegate/kernels/int8/vec/avx.h"

// Needs the vectors above.
#include "delegate/kernels/int8/isa.inl.h"

namespace sbnn {
namespace int8 {

Kernels AvxVnniKernels() {
  return avxvnni::Collect<avxvnni::V256, avxvnni::V256, 5, 4, 2>(
      "avxvnni", {{1.7f, 2.3f, 4.3f}, {4.f, 4.4f, 5.2f}});
}

}  // namespace int8
}  // namespace sbnn
