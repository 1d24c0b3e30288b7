#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "delegate/engine/rewrites/rewrites.h"

namespace sbnn {
namespace {

RowOp* RowsOf(const Program& program, const Step& step) {
  return step.op->AsRowOp({program.shapes[step.inputs[0]]});
}

// Whether `reader` may take the output of `maker` a few rows at a time, and should.
bool HandsOnRows(const Program& program, uint64_t cache_bytes, const Step& maker,
                 const Step& reader) {
  const int between = maker.output;
  const Shape& shape = program.shapes[between];
  const ElementType type = program.types[between].element;
  const uint64_t bytes = uint64_t{ElementCount(shape)} * BytesOf(type);
  if (bytes <= cache_bytes || !IsFloat(type) || reader.inputs[0] != between ||
      maker.kernels != reader.kernels || LayoutOf(shape) != Layout::kPanel ||
      LayoutOf(program.shapes[reader.output]) != Layout::kPanel ||
      // What is added is laid out as the output; a gate is for whole images.
      maker.inputs.size() > 1 || reader.inputs.size() > 1u + reader.epilogue.add ||
      program.IsResult(between)) {
    return false;
  }
  return program.Uses(between) == 1 && RowsOf(program, maker) != nullptr &&
         RowsOf(program, reader) != nullptr;
}

Chain::Link LinkOf(const Program& program, const Step& step) {
  return {RowsOf(program, step),
          step.epilogue,
          program.shapes[step.inputs[0]],
          program.shapes[step.output],
          program.types[step.output].element,
          step.ops};
}

}  // namespace

void MakeChains(uint64_t cache_bytes, Program* program) {
  std::vector<Step> steps;
  for (size_t first = 0, end; first < program->steps.size(); first = end) {
    std::vector<Chain::Link> links = {LinkOf(*program, program->steps[first])};
    for (end = first + 1; end < program->steps.size(); ++end) {
      const Step& next = program->steps[end];
      if (!HandsOnRows(*program, cache_bytes, program->steps[end - 1], next)) break;
      links.push_back(LinkOf(*program, next));
      if (Chain::Fits(links, cache_bytes)) continue;
      links.pop_back();
      break;
    }
    Step step = program->steps[first];
    if (links.size() > 1) {
      const Step& last = program->steps[end - 1];
      step.chain = std::make_shared<Chain>(std::move(links), cache_bytes);
      step.op = step.chain.get();
      step.epilogue = last.epilogue;
      step.inputs.insert(step.inputs.end(), last.inputs.begin() + 1, last.inputs.end());
      step.output = last.output;
    }
    steps.push_back(std::move(step));
  }
  program->steps = std::move(steps);
}

}  // namespace sbnn
