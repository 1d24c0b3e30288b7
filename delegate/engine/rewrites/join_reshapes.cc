#include <algorithm>
#include <cstddef>

#include "delegate/engine/rewrites/rewrites.h"

namespace sbnn {
namespace {

// A reshape to the shape that is there already.
bool LeaveOut(Program* program, const Step& reshape) {
  const int from = reshape.inputs[0], to = reshape.output;
  if (program->shapes[from] != program->shapes[to] || program->IsResult(to)) return false;
  for (Step& step : program->steps) {
    std::replace(step.inputs.begin(), step.inputs.end(), to, from);
  }
  return true;
}

bool JoinReader(Program* program, const Step& reshape) {
  const int from = reshape.inputs[0], to = reshape.output;
  Step* const reader = program->Reader(to);
  if (!program->Between(to) || reader == nullptr ||
      !reader->op->SkipsReshape(program->shapes[from], program->shapes[reader->output])) {
    return false;
  }
  reader->inputs[0] = from;
  reader->ops.insert(reader->ops.begin(), reshape.ops.begin(), reshape.ops.end());
  return true;
}

bool JoinWriter(Program* program, const Step& reshape) {
  const int from = reshape.inputs[0], to = reshape.output;
  Step* const writer = program->Maker(from);
  if (!program->Between(from) || writer == nullptr ||
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
  const auto erase = [&](const auto& joins) {
    for (size_t p = 0; p < steps.size();) {
      if (steps[p].op->Reshapes() && joins(steps[p])) {
        steps.erase(steps.begin() + static_cast<std::ptrdiff_t>(p));
      } else {
        ++p;
      }
    }
  };
  erase([&](const Step& s) { return LeaveOut(program, s); });
  erase([&](const Step& s) { return JoinReader(program, s) || JoinWriter(program, s); });
}

}  // namespace sbnn
