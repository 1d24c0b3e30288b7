#include "delegate/engine/placement.h"

#include <algorithm>
#include <numeric>
#include <string>

namespace sbnn {
namespace {

// Memory of the arena is fetched ahead in pages of so many bytes.
constexpr uint64_t kPage = 4096;

// The layout that all readers of an input of the program take.
Layout InputLayout(const Program& program, int tensor) {
  const Shape& shape = program.shapes[tensor];
  if (program.IsEmpty(tensor)) return Layout::kFlat;
  for (const Step& step : program.steps) {
    if (std::find(step.inputs.begin(), step.inputs.end(), tensor) == step.inputs.end()) continue;
    if (step.op->Converts()) {
      if (InputLayout(program, step.output) == Layout::kFlat) continue;
      return LayoutOf(shape);
    }
    const bool added = step.epilogue.add && step.inputs.back() == tensor;
    if (added || !step.op->TakesFlatImages(shape)) return LayoutOf(shape);
  }
  return Layout::kFlat;
}

// Whether its output goes as it is to the outside, and to nobody else.
bool LeavesFlat(const Program& program, const Step& step) {
  return step.op->LeavesFlatImages() && program.IsResult(step.output) &&
         program.Uses(step.output) == 0;
}

}  // namespace

void Placement::MakeTensors(const Program& program) {
  tensors_.assign(program.shapes.size(), Tensor());
  for (int t : program.inputs) {
    const bool image = program.IsInt8Image(t);
    const Layout layout = image ? program.layouts[t] : InputLayout(program, t);
    tensors_[t] = Tensor(program.shapes[t], layout, program.types[t]);
  }
  for (int t : program.empty) {
    tensors_[t] = Tensor(program.shapes[t], Layout::kFlat, program.types[t]);
  }
  for (const Step& step : program.steps) {
    const Shape& shape = program.shapes[step.output];
    const Layout layout = program.IsInt8Image(step.output) ? program.layouts[step.output]
                          : step.op->Converts()            ? tensors_[step.inputs[0]].layout
                          : LeavesFlat(program, step)      ? Layout::kFlat
                                                           : LayoutOf(shape);
    tensors_[step.output] = Tensor(shape, layout, program.types[step.output]);
  }
}

bool Placement::Outside(const Program& program, int tensor) const {
  return tensors_[tensor].layout == Layout::kFlat && program.IsInput(tensor) &&
         !program.IsUint8(tensor);
}

// For each tensor, the one whose memory it uses: itself, or an input that its operator overwrites.
// Extends the use of that one.
std::vector<int> Placement::ShareBuffers(const Program& program, int threads,
                                         std::vector<Use>* uses) const {
  std::vector<int> owner(tensors_.size());
  std::iota(owner.begin(), owner.end(), 0);
  for (int n = 0; n < static_cast<int>(program.steps.size()); ++n) {
    const Step& step = program.steps[n];
    for (int t : step.inputs) {
      const Tensor &input = tensors_[t], &output = tensors_[step.output];
      if (Outside(program, owner[t]) || (*uses)[t].last != n || owner[step.output] != step.output ||
          input.allocation() != output.allocation() ||
          !step.op->MayOverwrite(input, output, threads)) {
        continue;
      }
      owner[step.output] = owner[t];
      (*uses)[owner[t]].last = (*uses)[step.output].last;
    }
  }
  return owner;
}

Status Placement::PlanSteps(const Program& program, int threads, std::vector<uint64_t>* scratch) {
  inputs_.clear();
  for (const Step& step : program.steps) {
    std::vector<const Tensor*> inputs;
    for (int t : step.inputs) inputs.push_back(&tensors_[t]);
    uint64_t bytes = 0;
    const Status status = step.op->Plan(inputs, tensors_[step.output],
                                        {*step.kernels, threads, step.epilogue}, &bytes);
    if (!status.ok()) return status;
    scratch->push_back(bytes);
    inputs_.push_back(std::move(inputs));
  }
  return Status();
}

Status Placement::Place(const Program& program, int threads) {
  MakeTensors(program);
  const int steps = static_cast<int>(program.steps.size());
  std::vector<Use> uses(tensors_.size());
  for (int t : program.inputs) uses[t].first = 0;
  for (int n = 0; n < steps; ++n) {
    uses[program.steps[n].output] = {n, n};
    for (int t : program.steps[n].inputs) uses[t].last = n;
  }
  for (int t : program.results) uses[t].last = steps;
  const std::vector<int> owner = ShareBuffers(program, threads, &uses);
  std::vector<uint64_t> scratch;
  const Status status = PlanSteps(program, threads, &scratch);
  if (!status.ok()) return status;

  std::vector<Lifetime> lifetimes;
  std::vector<int> tensors;  // whose lifetimes come first
  for (int t = 0; t < static_cast<int>(tensors_.size()); ++t) {
    // Whole numbers take no room.
    if (uses[t].first < 0 || uses[t].last < 0 || owner[t] != t || Outside(program, t)) continue;
    lifetimes.push_back({tensors_[t].allocation(), uses[t].first, uses[t].last});
    tensors.push_back(t);
  }
  for (int n = 0; n < steps; ++n) lifetimes.push_back({scratch[n], n, n});
  arena_bytes_ = PlaceInArena(&lifetimes);
  if (!arena_.Resize(arena_bytes_ + kVectorBytes)) {
    return Status::Error("no memory for " + std::to_string(arena_bytes_) + " bytes of activations");
  }
  for (size_t i = 0; i < tensors.size(); ++i) {
    tensors_[tensors[i]].data = memory() + lifetimes[i].offset;
  }
  for (size_t t = 0; t < owner.size(); ++t) tensors_[t].data = tensors_[owner[t]].data;
  scratch_offset_.clear();
  for (int n = 0; n < steps; ++n) {
    scratch_offset_.push_back(lifetimes[tensors.size() + n].offset);
  }
  PlanAhead(program, lifetimes, threads);
  return Status();
}

// What each step is the first to use: memory of the arena that no step before it used, and its
// constants.
void Placement::PlanAhead(const Program& program, const std::vector<Lifetime>& lifetimes,
                          int threads) {
  const char* const arena = memory();
  std::vector<char> used(arena_bytes_ / kPage + 1, 0);
  ahead_.Clear();
  for (int n = 0; n < static_cast<int>(program.steps.size()); ++n) {
    for (const Lifetime& life : lifetimes) {
      // (With several threads, to write to a line that another one fetched takes longer than to
      // wait for memory.)
      if (life.first != n || life.bytes == 0 || threads > 1) continue;
      const uint64_t end = life.offset + life.bytes;
      for (uint64_t page = life.offset / kPage; page * kPage < end; ++page) {
        if (!used[page]) ahead_.Add({arena + page * kPage, kPage});
        used[page] = 1;
      }
    }
    for (const Range& constants : program.steps[n].op->Constants()) ahead_.Add(constants);
    ahead_.EndStep();
  }
}

}  // namespace sbnn
