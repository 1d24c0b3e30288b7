#define SBNN_ISA avx2
#define SBNN_REGISTERS 16
#include "delegate/kernels/int8/vec/avx.h"

// Needs the vectors above.
#include "delegate/kernels/int8/isa.inl.h"

namespace sbnn {
namespace int8 {

Kernels Avx2Kernels() {
  return avx2::Collect<avx2::V256, avx2::V256, 4, 3, 2>("avx2",
                                                        {{4.f, 8.f, 16.f}, {6.f, 10.f, 18.f}});
}

}  // namespace int8
}  // namespace sbnn
