#include "delegate/kernels/vec/wasm.h"

// Needs the vectors above.
#include "delegate/kernels/isa.inl.h"

namespace sbnn {

// Of browsers on x64, which leave 15 registers to a kernel. (Tiles that fill more than these are
// slower in V8: at 512 inputs 8 vectors of groups of 1 beat 12, 2 of groups of 4 beat 3.)
Kernels WasmKernelsX64() {
  Kernels kernels = wasm::Collect<8, 4, 2, 1, 6>({{0.94f, 1.15f, 2.2f, 5.6f}, 0.6f, 0.41f, 192});
  kernels.isa = "wasm_x64";
  kernels.copied_channels = 64;
  return kernels;
}

// Of those on arm64, which leave 31.
Kernels WasmKernelsArm64() {
  Kernels kernels = wasm::Collect<12, 8, 5, 2, 6>({{0.94f, 1.15f, 2.2f, 4.4f}, 0.6f, 0.41f, 192});
  kernels.isa = "wasm_arm64";
  return kernels;
}

}  // namespace sbnn
