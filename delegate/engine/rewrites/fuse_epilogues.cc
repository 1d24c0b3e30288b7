#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "delegate/engine/rewrites/rewrites.h"

namespace sbnn {
namespace {

// Makes the step `reader` an epilogue of the step `maker` if it may be one.
bool FuseInto(size_t reader, size_t maker, const Epilogue& epilogue, Program* program) {
  std::vector<Step>& steps = program->steps;
  const int between = steps[maker].output;
  if (program->IsResult(between)) return false;
  Step fused = steps[maker];
  if (program->Uses(between) != 1 || !fused.epilogue.Then(epilogue) ||
      !fused.op->Takes(fused.epilogue)) {
    return false;
  }
  for (int t : steps[reader].inputs) {
    if (t != between) fused.inputs.push_back(t);
  }
  fused.output = steps[reader].output;
  fused.ops.insert(fused.ops.end(), steps[reader].ops.begin(), steps[reader].ops.end());
  // Where the reader stood all its operands are there.
  steps[reader] = std::move(fused);
  steps.erase(steps.begin() + static_cast<std::ptrdiff_t>(maker));
  return true;
}

}  // namespace

void FuseEpilogues(Program* program) {
  const std::vector<Step>& steps = program->steps;
  for (size_t reader = 0; reader < steps.size();) {
    Epilogue epilogue;
    bool fused = false;
    if (steps[reader].op->AsEpilogue(program->InputShapes(steps[reader]), &epilogue)) {
      // The operand computed last has the fewest others waiting in memory for it.
      for (size_t back = reader; back-- > 0 && !fused;) {
        const std::vector<int>& operands = steps[reader].inputs;
        const int made = steps[back].output;
        if (std::find(operands.begin(), operands.end(), made) == operands.end()) continue;
        fused = FuseInto(reader, back, epilogue, program);
      }
    }
    if (!fused) ++reader;
  }
}

}  // namespace sbnn
