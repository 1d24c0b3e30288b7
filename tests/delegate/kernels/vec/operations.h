// The vectors of every instruction set of this build as plain functions on arrays.
#ifndef SBNN_TESTS_DELEGATE_VEC_OPERATIONS_H_
#define SBNN_TESTS_DELEGATE_VEC_OPERATIONS_H_

#include <cstdint>

namespace sbnn {

// Named as what delegate/kernels/vec/vec.h says that a vector must have. A void* leads to elements
// of the instruction set's type: kLanes of them, unless it is said. Null: this one has no such
// thing.
struct VecOperations {
  const char* isa;
  int element_bytes, lanes, registers, side_by_side;
  bool exact_thirds;

  using Unary = void (*)(const void* a, void* out);
  using Binary = void (*)(const void* a, const void* b, void* out);
  using Ternary = void (*)(const void* a, const void* b, const void* c, void* out);

  Unary load_and_store, load_thirds, keep;
  void (*load_first)(const void* a, int n, void* out);
  void (*store_first)(const void* a, int n, void* out);
  void (*load_masked)(const void* a, int first, int end, void* out);
  void (*blend)(const void* a, const void* b, int first, int end, void* out);
  void (*masked)(const void* a, int first, int end, void* out);
  Unary set;  // of one element
  Binary add, sub, mul, div, max, min;
  Ternary fma;

  int steps_of_two;
  float rounder;
  void (*power_of_two)(const float* a, float* out);

  // a * s[i] + c of the s[i] that lie in a row, one vector of the output after the other.
  Ternary fma_scalars[4];  // 1, 2, 4, 8 of them
  Unary two_sets;          // of two elements, to two vectors
  Ternary deinterleave;    // of a and b; `c` is where the even ones go
  Binary shifted[4];       // by 1 to 4
  float (*add_lanes)(const void* a);
  float (*add_wide)(const void* a, const void* b);  // all lanes of both
  Unary first_four;                                 // to four elements
  // sum + w * x of 2, 4, 8 elements of w; x is one.
  Ternary add_scaled[3];
  Ternary add_products;  // of four
  // Outputs<G>, G = 2, 4, 8: p + w * x, and twice that with p again at the last.
  Ternary outputs[3];

  void (*permute)(const float* a, const int32_t* p, int first, float* out);

  // Of vectors of two rows: low[i] and high[i] of the first n lanes.
  void (*halves)(float low, float high, int n, float* to_low, float* to_high);
  // Floats first + step * i of a's and of b's n, eight of each.
  void (*look_up)(const float* a, const float* b, int first, int step, int n, float* out);
  // Of elements that are no floats: to floats and back.
  void (*widen)(const void* a, float* out);
  void (*narrow)(const float* a, void* out);
};

#if defined(__wasm__)
namespace wasm {
const VecOperations& Operations();
}
#else
namespace scalar {
const VecOperations& Operations();
}
#endif
#if defined(__x86_64__)
namespace avx2 {
const VecOperations& Operations();
}
namespace avx512 {
const VecOperations& Operations();
}
#elif defined(__aarch64__)
namespace neon {
const VecOperations& Operations();
}
namespace neon_fp16 {
const VecOperations& Operations();
}
#elif defined(__arm__)
namespace neon {
const VecOperations& Operations();
}
#endif

}  // namespace sbnn

#endif  // SBNN_TESTS_DELEGATE_VEC_OPERATIONS_H_
