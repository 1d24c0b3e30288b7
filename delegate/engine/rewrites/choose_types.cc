#include <algorithm>
#include <utility>
#include <vector>

#include "delegate/engine/rewrites/rewrites.h"

namespace sbnn {

void ChooseTypes(const Kernels& kernels, bool allow_fp16, Op* convert, Program* program) {
  constexpr ElementType kFloat32 = ElementType::kFloat32, kFloat16 = ElementType::kFloat16;
  const Kernels* const fp16 = allow_fp16 ? KernelsFor(kernels, kFloat16) : nullptr;
  std::vector<Shape>& shapes = program->shapes;
  std::vector<TensorType>& types = program->types;
  std::vector<int> other(shapes.size(), -1);  // the tensor that holds the same in the other type
  std::vector<Step> steps;
  const auto as = [&](int tensor, ElementType type) {
    const ElementType is = types[tensor].element;
    if (!IsFloat(is) || is == type || program->IsEmpty(tensor)) return tensor;
    if (other[tensor] < 0) {
      other[tensor] = static_cast<int>(shapes.size());
      steps.push_back({convert, {tensor}, other[tensor], {}});
      steps.back().kernels = fp16;
      shapes.push_back(shapes[tensor]);
      types.push_back({type, {}});
      other.push_back(tensor);
    }
    return other[tensor];
  };
  for (Step& step : program->steps) {
    const auto all_floats = [&] {
      return IsFloat(types[step.output].element) &&
             std::all_of(step.inputs.begin(), step.inputs.end(),
                         [&](int t) { return IsFloat(types[t].element); });
    };
    const TypeUse use = fp16 == nullptr || !all_floats()
                            ? TypeUse::kNever
                            : step.op->UseOf(kFloat16, program->InputShapes(step));
    const bool given = std::any_of(step.inputs.begin(), step.inputs.end(),
                                   [&](int t) { return types[t].element == kFloat16; });
    const bool in_fp16 = use == TypeUse::kAsksFor || (use == TypeUse::kIfGiven && given);
    step.kernels = in_fp16 ? fp16 : &kernels;
    for (int& t : step.inputs) t = as(t, step.kernels->type);
    if (IsFloat(types[step.output].element)) types[step.output].element = step.kernels->type;
    steps.push_back(std::move(step));
  }
  for (int& t : program->results) t = as(t, kFloat32);
  program->steps = std::move(steps);
}

}  // namespace sbnn
