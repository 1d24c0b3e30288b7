#if defined(__wasm_relaxed_simd__)

#define SBNN_ISA wasm_dot
#define SBNN_REGISTERS 31  // on arm64
#define SBNN_DOT
#include "delegate/kernels/int8/vec/wasm.h"

// Needs the vectors above.
#include "delegate/kernels/int8/isa.inl.h"

namespace sbnn {
namespace int8 {

// The instruction takes one factor's bytes as signed or as unsigned, and may limit sums of pairs.
// As signed and unlimited, all of them count; these are the least and the greatest.
bool HasExactDots() {
  const auto sum = [](int8_t x, int8_t w) {
    const v128_t to = wasm_i32x4_relaxed_dot_i8x16_i7x16_add(
        wasm_i8x16_splat(w), wasm_i8x16_splat(x), wasm_i32x4_splat(1));
    return wasm_i32x4_extract_lane(to, 0);
  };
  // (Not known when this is compiled.)
  volatile int8_t lowest = -128, least = -127, most = 127;
  return sum(lowest, least) == 1 + 4 * 128 * 127 && sum(lowest, most) == 1 - 4 * 128 * 127 &&
         sum(most, least) == 1 - 4 * 127 * 127 && sum(most, most) == 1 + 4 * 127 * 127;
}

Kernels WasmDotKernels() {
  return wasm_dot::Collect<wasm_dot::V128, wasm_dot::V128, 6, 6, 4>(
      "wasm_dot", {{1.35f, 2.f, 4.f}, {6.f, 6.f, 6.f}});
}

}  // namespace int8
}  // namespace sbnn

#endif
