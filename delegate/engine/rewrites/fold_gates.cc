#include <cstddef>
#include <vector>

#include "delegate/engine/rewrites/rewrites.h"

namespace sbnn {

void FoldGates(Program* program) {
  std::vector<Step>& steps = program->steps;
  for (size_t p = 0; p < steps.size(); ++p) {
    const std::vector<int> factors = steps[p].inputs;
    const int gated = steps[p].output;
    size_t images = 0;
    if (!steps[p].op->AsGate(program->InputShapes(steps[p]), &images)) continue;
    if (!program->Between(gated)) continue;
    Step* const reader = program->Reader(gated);
    if (reader == nullptr || !reader->op->TakesGate(program->shapes[gated])) continue;
    reader->inputs[0] = factors[images];
    reader->inputs.insert(reader->inputs.begin() + 1, factors[1 - images]);
    reader->ops.insert(reader->ops.begin(), steps[p].ops.begin(), steps[p].ops.end());
    steps.erase(steps.begin() + static_cast<std::ptrdiff_t>(p));
    --p;
  }
}

}  // namespace sbnn
