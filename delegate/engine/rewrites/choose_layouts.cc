#include <array>
#include <cstddef>
#include <numeric>
#include <utility>
#include <vector>

#include "delegate/engine/rewrites/rewrites.h"

namespace sbnn {
namespace {

constexpr Layout kLayouts[] = {Layout::kPanel, Layout::kQuads, Layout::kFlat};
constexpr int kCount = 3;
using Costs = std::array<double, kCount>;  // by layout, in elements that are moved

double CostOf(LayoutUse use) {
  return use == LayoutUse::kPrefers ? 0 : use == LayoutUse::kCan ? 0.25 : 1;
}

// Tensors that must have the same layout, and what each layout would cost them.
class Classes {
 public:
  explicit Classes(size_t tensors) : parent_(tensors), costs_(tensors, Costs{}) {
    std::iota(parent_.begin(), parent_.end(), 0);
  }

  void Join(int a, int b) { parent_[Root(a)] = Root(b); }

  // Of the tensor's class. (After the last Join.)
  template <typename Fn>
  void Add(int tensor, double elements, const Fn& use_of) {
    for (int l = 0; l < kCount; ++l) {
      costs_[Root(tensor)][l] += elements * CostOf(use_of(kLayouts[l]));
    }
  }

  // The cheapest, flat only if no other is as cheap: from and to the outside there need no step
  // then.
  Layout Best(int tensor) {
    const Costs& costs = costs_[Root(tensor)];
    int best = 0;
    for (int l = 1; l < kCount; ++l) {
      if (costs[l] < costs[best]) best = l;
    }
    return kLayouts[best];
  }

 private:
  int Root(int tensor) {
    while (parent_[tensor] != tensor) tensor = parent_[tensor] = parent_[parent_[tensor]];
    return tensor;
  }

  std::vector<int> parent_;
  std::vector<Costs> costs_;
};

LayoutUse OfOutside(Layout layout) {
  return layout == Layout::kFlat ? LayoutUse::kPrefers : LayoutUse::kCannot;
}

// What all steps and the outside want.
Classes MakeClasses(const Program& program) {
  Classes classes(program.shapes.size());
  for (const Step& step : program.steps) {
    if (!step.op->KeepsLayout(program.InputShapes(step))) continue;
    for (int t : step.inputs) {
      if (program.IsInt8Image(t) && program.IsInt8Image(step.output)) classes.Join(t, step.output);
    }
  }
  const auto add = [&](int tensor, const auto& use_of) {
    if (!program.IsInt8Image(tensor)) return;
    classes.Add(tensor, static_cast<double>(ElementCount(program.shapes[tensor])), use_of);
  };
  for (int t : program.inputs) add(t, OfOutside);
  for (int t : program.results) add(t, OfOutside);
  for (const Step& step : program.steps) {
    const std::vector<Shape> shapes = program.InputShapes(step);
    for (int t : step.inputs) add(t, [&](Layout l) { return step.op->Reads(l, shapes); });
    add(step.output, [&](Layout l) { return step.op->Writes(l, shapes); });
  }
  return classes;
}

// Of those that it can: the one that it likes most.
template <typename UseOf>
Layout Favourite(const UseOf& use_of) {
  Layout found = Layout::kPanel;
  for (Layout l : kLayouts) {
    if (CostOf(use_of(l)) < CostOf(use_of(found))) found = l;
  }
  return found;
}

}  // namespace

void ChooseLayouts(Op* relayout, Program* program) {
  std::vector<Layout>& layouts = program->layouts;
  layouts.assign(program->shapes.size(), Layout::kFlat);
  bool any = false;
  Classes classes = MakeClasses(*program);
  for (int t = 0; t < static_cast<int>(layouts.size()); ++t) {
    if (!program->IsInt8Image(t)) continue;
    layouts[t] = classes.Best(t);
    any = true;
  }
  if (!any) return;

  std::vector<Step> steps;
  const auto add_tensor = [&](int like, Layout layout) {
    program->shapes.push_back(program->shapes[like]);
    program->types.push_back(program->types[like]);
    layouts.push_back(layout);
    return static_cast<int>(layouts.size()) - 1;
  };
  const auto add_step = [&](int from, int to, const Kernels* kernels) {
    steps.push_back({relayout, {from}, to, {}});
    steps.back().kernels = kernels;
  };
  for (Step& step : program->steps) {
    const std::vector<Shape> shapes = program->InputShapes(step);
    const bool keeps = step.op->KeepsLayout(shapes);
    const auto reads = [&](Layout l) { return step.op->Reads(l, shapes); };
    const auto writes = [&](Layout l) { return step.op->Writes(l, shapes); };
    const int output = step.output;
    Layout made = program->IsInt8Image(output) ? layouts[output] : Layout::kFlat;
    if (program->IsInt8Image(output) && writes(made) == LayoutUse::kCannot) {
      made = Favourite(writes);
      step.output = add_tensor(output, made);
    }
    for (int& t : step.inputs) {
      if (!program->IsInt8Image(t)) continue;
      const bool other = keeps && program->IsInt8Image(output) && layouts[t] != made;
      if (!other && reads(layouts[t]) != LayoutUse::kCannot) continue;
      const int changed = add_tensor(t, other ? made : Favourite(reads));
      add_step(t, changed, step.kernels);
      t = changed;
    }
    const Kernels* const kernels = step.kernels;
    const int written = step.output;
    steps.push_back(std::move(step));
    if (written != output) add_step(written, output, kernels);
  }
  program->steps = std::move(steps);
}

}  // namespace sbnn
