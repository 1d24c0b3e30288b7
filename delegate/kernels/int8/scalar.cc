#include "delegate/kernels/int8/vec/scalar.h"

// Needs the vectors above.
#include "delegate/kernels/int8/isa.inl.h"

namespace sbnn {
namespace int8 {

Kernels ScalarKernels() {
  return scalar::Collect<scalar::V128, scalar::V128, 1, 1, 1>("scalar",
                                                              {{4.f, 8.f, 16.f}, {5.f, 9.f, 17.f}});
}

}  // namespace int8
}  // namespace sbnn
