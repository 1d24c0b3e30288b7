#include "delegate/engine/program.h"

#include <algorithm>
#include <utility>

namespace sbnn {
namespace {

bool Contains(const std::vector<int>& tensors, int tensor) {
  return std::find(tensors.begin(), tensors.end(), tensor) != tensors.end();
}

}  // namespace

Program::Program(const Graph& graph, std::vector<Shape> tensor_shapes)
    : shapes(std::move(tensor_shapes)), inputs(graph.inputs), results(graph.outputs) {
  for (int t = 0; t < static_cast<int>(shapes.size()); ++t) {
    types.push_back(Inside(graph.TypeOf(t)));
    if (graph.TypeOf(t).element == ElementType::kUint8) uint8s.push_back(t);
  }
  for (const Node& node : graph.nodes) {
    if (node.op->OnShapes()) continue;
    if (IsEmpty(node.output)) {
      empty.push_back(node.output);
    } else {
      steps.push_back({node.op.get(), node.inputs, node.output, node.ops});
    }
  }
}

std::vector<Shape> Program::InputShapes(const Step& step) const {
  std::vector<Shape> found;
  for (int t : step.inputs) found.push_back(shapes[t]);
  return found;
}

size_t Program::Uses(int tensor) const {
  size_t uses = 0;
  for (const Step& step : steps) {
    uses += static_cast<size_t>(std::count(step.inputs.begin(), step.inputs.end(), tensor));
  }
  return uses;
}

bool Program::Between(int tensor) const {
  return Uses(tensor) == 1 && !IsResult(tensor) && !IsInput(tensor);
}

Step* Program::Maker(int tensor) {
  for (Step& step : steps) {
    if (step.output == tensor) return &step;
  }
  return nullptr;
}

Step* Program::Reader(int tensor) {
  for (Step& step : steps) {
    if (step.inputs[0] == tensor) return &step;
  }
  return nullptr;
}

bool Program::IsInput(int tensor) const { return Contains(inputs, tensor); }

bool Program::IsInt8Image(int tensor) const {
  return types[tensor].element == ElementType::kInt8 && LayoutOf(shapes[tensor]) != Layout::kFlat &&
         !IsEmpty(tensor);
}

bool Program::IsUint8(int tensor) const { return Contains(uint8s, tensor); }

bool Program::IsResult(int tensor) const { return Contains(results, tensor); }

bool Program::IsEmpty(int tensor) const { return ElementCount(shapes[tensor]) == 0; }

}  // namespace sbnn
