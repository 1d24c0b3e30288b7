// Where the tensors of a program lie, and the work space of its steps.
#ifndef SBNN_DELEGATE_ENGINE_PLACEMENT_H_
#define SBNN_DELEGATE_ENGINE_PLACEMENT_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "delegate/engine/ahead.h"
#include "delegate/engine/memory.h"
#include "delegate/engine/program.h"
#include "delegate/engine/tensor.h"

namespace sbnn {

class Placement {
 public:
  // Decides layouts, plans every operator and gives tensors and scratch their memory. May be called
  // again, with another program.
  Status Place(const Program& program, int threads);

  // Whether a tensor stays where the caller has it: an input in the outside's layout and type. It
  // has no memory here: whoever runs the program sets where it is.
  bool Outside(const Program& program, int tensor) const;
  Tensor& tensor(int t) { return tensors_[t]; }
  const std::vector<const Tensor*>& inputs(size_t step) const { return inputs_[step]; }
  void* scratch(size_t step) const { return memory() + scratch_offset_[step]; }
  Ahead& ahead() { return ahead_; }
  uint64_t arena_bytes() const { return arena_bytes_; }

 private:
  // When a tensor is needed, by the numbers of steps.
  struct Use {
    int first = -1, last = -1;
  };

  // Kernels may read up to a vector before a plane.
  char* memory() const { return static_cast<char*>(arena_.data()) + kVectorBytes; }
  void MakeTensors(const Program& program);
  std::vector<int> ShareBuffers(const Program& program, int threads, std::vector<Use>* uses) const;
  Status PlanSteps(const Program& program, int threads, std::vector<uint64_t>* scratch);
  void PlanAhead(const Program& program, const std::vector<Lifetime>& lifetimes, int threads);

  std::vector<Tensor> tensors_;
  std::vector<std::vector<const Tensor*>> inputs_;  // of each step
  std::vector<uint64_t> scratch_offset_;            // of each step
  Ahead ahead_;
  Buffer arena_;
  uint64_t arena_bytes_ = 0;
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_PLACEMENT_H_
