// What every instruction set's vectors begin with. To be included by the headers beside this one,
// after SBNN_ISA, SBNN_ISA_NAME and SBNN_ELEMENT are defined.
#include <cstddef>
#include <cstdint>

#define SBNN_INLINE inline __attribute__((always_inline))

namespace sbnn {
namespace SBNN_ISA {

// There is no instruction to fetch memory ahead. Instructions come out in the order of the source,
// or in one that the compiler likes better, though registers run out.
#if defined(__wasm__)
constexpr bool kOnWasm = true;
#else
constexpr bool kOnWasm = false;
#endif

// What the kernels compute in.
using Element = SBNN_ELEMENT;

SBNN_INLINE const Element* AsElements(const void* p) { return static_cast<const Element*>(p); }
SBNN_INLINE Element* AsElements(void* p) { return static_cast<Element*>(p); }

// N elements, in as many registers as the ISA needs for them, for what is a vector of outputs.
template <int N>
struct Elements {
  typedef Element Type __attribute__((vector_size(N * sizeof(Element))));
  typedef Type Unaligned __attribute__((aligned(sizeof(Element))));
};

using Four = Elements<4>::Type;
using UnalignedFour = Elements<4>::Unaligned;

// NaN stays NaN.
SBNN_INLINE float ClampOne(float value, float lo, float hi) {
  value = value < lo ? lo : value;
  return value > hi ? hi : value;
}

// The same pointer or integer, of which the compiler knows nothing: it would compute many addresses
// ahead, and keep them on the stack.
template <typename T>
SBNN_INLINE T Hide(T p) {
  __asm__("" : "+r"(p));
  return p;
}

}  // namespace SBNN_ISA
}  // namespace sbnn
