// What is run for inputs of given shapes: a graph's operators as steps, one after another.
#ifndef SBNN_DELEGATE_ENGINE_PROGRAM_H_
#define SBNN_DELEGATE_ENGINE_PROGRAM_H_

#include <cstddef>
#include <memory>
#include <vector>

#include "delegate/engine/chain.h"
#include "delegate/engine/graph.h"
#include "delegate/engine/op.h"

namespace sbnn {

// An operator together with those that became its epilogue.
struct Step {
  Op* op;
  std::vector<int> inputs;
  int output;
  std::vector<int> ops;  // as in Network::StepInfo
  Epilogue epilogue = {};
  const Kernels* kernels = nullptr;
  std::shared_ptr<Chain> chain = nullptr;  // `op`, where it is one
  std::shared_ptr<Op> made = nullptr;      // `op`, where a rewrite made it for these shapes

  // Calls fn(op, ops), for each link where it is a chain.
  template <typename Fn>
  void ForEachLink(const Fn& fn) const {
    if (chain == nullptr) return fn(*op, ops);
    for (const Chain::Link& link : chain->links()) fn(*link.op, link.ops);
  }
};

struct Program {
  std::vector<Shape> shapes;      // of each tensor: the graph's, and those of conversions
  std::vector<TensorType> types;  // of each tensor, inside
  std::vector<Layout> layouts;    // of each tensor of int8
  std::vector<Step> steps;
  std::vector<int> inputs;
  std::vector<int> results;  // the outputs; where they are in float16, what is made of them
  std::vector<int> empty;    // tensors without elements that an operator would have made
  std::vector<int> uint8s;   // tensors that are uint8 outside

  Program() = default;
  // A step for each operator that runs and makes something. The graph must live as long.
  Program(const Graph& graph, std::vector<Shape> tensor_shapes);

  std::vector<Shape> InputShapes(const Step& step) const;
  size_t Uses(int tensor) const;   // by steps, their epilogues included
  bool Between(int tensor) const;  // whether one step alone reads it, and a step makes it
  Step* Maker(int tensor);         // null: none
  Step* Reader(int tensor);        // the first that has it as its first input; null: none
  bool IsInput(int tensor) const;
  bool IsResult(int tensor) const;
  bool IsEmpty(int tensor) const;
  bool IsUint8(int tensor) const;  // outside
  bool IsInt8Image(int tensor) const;
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_PROGRAM_H_
