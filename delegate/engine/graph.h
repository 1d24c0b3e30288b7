// Operators and the numbered tensors between them.
#ifndef SBNN_DELEGATE_ENGINE_GRAPH_H_
#define SBNN_DELEGATE_ENGINE_GRAPH_H_

#include <cstddef>
#include <memory>
#include <unordered_map>
#include <vector>

#include "delegate/engine/op.h"

namespace sbnn {

struct Node {
  std::unique_ptr<Op> op;
  std::vector<int> inputs;
  int output;
  std::vector<int> ops;  // as in Network::StepInfo
};

// Nodes in an order in which they can run.
struct Graph {
  std::vector<Node> nodes;
  std::vector<int> inputs, outputs;
  std::unordered_map<int, TensorType> types;  // of tensors that are not float32, as outside

  int tensor_count() const;
  size_t Uses(int tensor) const;  // by nodes
  bool IsOutput(int tensor) const;
  TensorType TypeOf(int tensor) const;  // as outside

  // Fails where an operator meets a type that it does not take.
  Status CheckTypes(const std::vector<Shape>& shapes) const;

  // The shape of each tensor where the inputs have these.
  Status InferShapes(const std::vector<Shape>& input_shapes, std::vector<Shape>* shapes) const;
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_GRAPH_H_
