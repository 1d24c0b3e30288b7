// What kernels were called for, summed up over the calls of a layer: see plan.cc.
#ifndef SBNN_DELEGATE_BENCH_WORKS_H_
#define SBNN_DELEGATE_BENCH_WORKS_H_

#include <algorithm>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

namespace sbnn {

struct Work {
  uint64_t calls = 0, outer = 0, entries = 0, fmas = 0, stores = 0;
  uint64_t x_bytes = 0, reads = 0, w_bytes = 0, y_bytes = 0;
};

using Loop = std::pair<uintptr_t, uint64_t>;  // address of the kernel, and which of its loops

inline std::map<Loop, Work> works;  // of one layer

template <typename Fn>
Work& WorkOf(Fn kernel, uint64_t loop) {
  return works[{reinterpret_cast<uintptr_t>(kernel), loop}];
}

template <typename Fn>
Work& CallOf(Fn kernel, uint64_t loop = 0) {
  Work& work = WorkOf(kernel, loop);
  ++work.calls;
  return work;
}

// How many different ones there are.
inline uint64_t Different(const int32_t* offsets, uint64_t count) {
  std::vector<int32_t> sorted(offsets, offsets + count);
  std::sort(sorted.begin(), sorted.end());
  return std::unique(sorted.begin(), sorted.end()) - sorted.begin();
}

// Puts recorders in the place of the int8 kernels that go with float kernels of this name.
void RecordInt8(const char* isa);

}  // namespace sbnn

#endif  // SBNN_DELEGATE_BENCH_WORKS_H_
