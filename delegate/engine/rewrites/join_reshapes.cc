#include <algorithm>
#include <cstddef>
#include <vector>

#include "delegate/engine/rewrites/rewrites.h"

namespace sbnn {
namespace {

// Whether a tensor is between two steps alone.
bool Between(const Program& program, int tensor) {
  return program.Uses(tensor) == 1 && !program.IsResult(tensor) && !program.IsInput(tensor);
}

bool JoinReader(Program* program, const Step& reshape) {
  const int from = reshape.inputs[0], to = reshape.output;
  const auto reader = std::find_if(program->steps.begin(), program->steps.end(),
                                   [&](const Step& s) { return s.inputs[0] == to; });
  if (!Between(*program, to) || reader == program->steps.end() ||
      !reader->op->SkipsReshape(program->shapes[from], program->shapes[reader->output])) {
    return false;
  }
  reader->inputs[0] = from;
  reader->ops.insert(reader->ops.begin(), reshape.ops.begin(), reshape.ops.end());
  return true;
}

bool JoinWriter(Program* program, const Step& reshape) {
  const int from = reshape.inputs[0], to = reshape.output;
  const auto writer = std::find_if(program->steps.begin(), program->steps.end(),
                                   [&](const Step& s) { return s.output == from; });
  if (!Between(*program, from) || writer == program->steps.end() ||
      !writer->op->SkipsReshape(program->shapes[writer->inputs[0]], program->shapes[to])) {
    return false;
  }
  writer->output = to;
  writer->ops.insert(writer->ops.end(), reshape.ops.begin(), reshape.ops.end());
  return true;
}

}  // namespace

void JoinReshapes(Program* program) {
  std::vector<Step>& steps = program->steps;
  for (size_t p = 0; p < steps.size();) {
    const bool joined =
        steps[p].op->Reshapes() && (JoinReader(program, steps[p]) || JoinWriter(program, steps[p]));
    if (joined) {
      steps.erase(steps.begin() + static_cast<std::ptrdiff_t>(p));
    } else {
      ++p;
    }
  }
}

}  // namespace sbnn
