#include "delegate/engine/graph.h"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace sbnn {
namespace {

// A damaged file may ask for any size; offsets and task numbers are sure to fit below this. (Planes
// of few pixels take up to 16 times their elements.)
constexpr int kMaxElementBits = sizeof(size_t) == 8 ? 31 : 26;

Status CheckShape(const Shape& shape) {
  uint64_t count = 1;
  for (int d : shape) {
    if (d < 0) return Status::Error("a tensor has a dimension of " + std::to_string(d));
    count *= static_cast<uint64_t>(std::max(1, d));  // (also of nothing: products stay in range)
    if (count > uint64_t{1} << kMaxElementBits) {
      return Status::Error("a tensor has more than 2^" + std::to_string(kMaxElementBits) +
                           " elements");
    }
  }
  return Status();
}

}  // namespace

int Graph::tensor_count() const {
  int count = 0;
  for (int t : inputs) count = std::max(count, t + 1);
  for (const Node& node : nodes) {
    for (int t : node.inputs) count = std::max(count, t + 1);
    count = std::max(count, node.output + 1);
  }
  return count;
}

size_t Graph::Uses(int tensor) const {
  size_t uses = 0;
  for (const Node& node : nodes) {
    uses += static_cast<size_t>(std::count(node.inputs.begin(), node.inputs.end(), tensor));
  }
  return uses;
}

bool Graph::IsOutput(int tensor) const {
  return std::find(outputs.begin(), outputs.end(), tensor) != outputs.end();
}

TensorType Graph::TypeOf(int tensor) const {
  const auto found = types.find(tensor);
  return found == types.end() ? TensorType() : found->second;
}

Status Graph::InferShapes(const std::vector<Shape>& input_shapes,
                          std::vector<Shape>* shapes) const {
  shapes->assign(tensor_count(), Shape());
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Status status = CheckShape(input_shapes[i]);
    if (!status.ok()) return status;
    (*shapes)[inputs[i]] = input_shapes[i];
  }
  for (const Node& node : nodes) {
    std::vector<Shape> in;
    for (int t : node.inputs) in.push_back((*shapes)[t]);
    Shape out;
    Status status = node.op->InferShape(in, &out);
    if (status.ok() && !node.op->OnShapes()) status = CheckShape(out);
    if (!status.ok()) return status;
    (*shapes)[node.output] = std::move(out);
  }
  return Status();
}

Status Graph::CheckTypes(const std::vector<Shape>& shapes) const {
  for (const Node& node : nodes) {
    std::vector<Shape> in;
    bool int8 = Inside(TypeOf(node.output)).element == ElementType::kInt8;
    for (int t : node.inputs) {
      in.push_back(shapes[t]);
      int8 = int8 || Inside(TypeOf(t)).element == ElementType::kInt8;
    }
    if (int8 && node.op->UseOf(ElementType::kInt8, in) == TypeUse::kNever) {
      return Status::Error("an operator that has no kernels of int8 meets a tensor of it");
    }
  }
  return Status();
}

}  // namespace sbnn
