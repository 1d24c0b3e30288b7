#define SBNN_ISA wasm
#define SBNN_REGISTERS 15  // of V8 and SpiderMonkey on x64
#include "delegate/kernels/int8/vec/wasm.h"

// Needs the vectors above.
#include "delegate/kernels/int8/isa.inl.h"

namespace sbnn {
namespace int8 {

Kernels WasmKernels() {
  return wasm::Collect<wasm::V128, wasm::V128, 4, 2, 1>("wasm",
                                                        {{4.f, 8.f, 16.f}, {5.f, 9.f, 17.f}});
}

}  // namespace int8
}  // namespace sbnn
