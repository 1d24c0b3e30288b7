#include <algorithm>
#include <utility>
#include <vector>

#include "delegate/engine/rewrites/rewrites.h"

namespace sbnn {

void ChooseTypes(const Kernels& kernels, const Kernels* halves, Op* convert, Program* program) {
  constexpr int kFloat = sizeof(float), kHalf = sizeof(Half);
  std::vector<Shape>& shapes = program->shapes;
  std::vector<int>& element_bytes = program->element_bytes;
  std::vector<int> other(shapes.size(), -1);  // the tensor that holds the same in the other type
  std::vector<Step> steps;
  const auto as = [&](int tensor, int bytes) {
    if (element_bytes[tensor] == bytes || program->IsEmpty(tensor)) return tensor;
    if (other[tensor] < 0) {
      other[tensor] = static_cast<int>(shapes.size());
      steps.push_back({convert, {tensor}, other[tensor], {}});
      steps.back().kernels = halves;
      shapes.push_back(shapes[tensor]);
      element_bytes.push_back(bytes);
      other.push_back(tensor);
    }
    return other[tensor];
  };
  for (Step& step : program->steps) {
    const Halves takes =
        halves == nullptr ? Halves::kNever : step.op->TakesHalves(program->InputShapes(step));
    const bool given = std::any_of(step.inputs.begin(), step.inputs.end(),
                                   [&](int t) { return element_bytes[t] == kHalf; });
    const bool half = takes == Halves::kAsksFor || (takes == Halves::kIfGiven && given);
    step.kernels = half ? halves : &kernels;
    for (int& t : step.inputs) t = as(t, half ? kHalf : kFloat);
    element_bytes[step.output] = half ? kHalf : kFloat;
    steps.push_back(std::move(step));
  }
  for (int& t : program->results) t = as(t, kFloat);
  program->steps = std::move(steps);
}

}  // namespace sbnn
