#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "delegate/engine/ops/shuffle_channels.h"
#include "delegate/engine/rewrites/exchanges.h"
#include "delegate/engine/rewrites/rewrites.h"

namespace sbnn {
namespace {

// Whether a tensor of images, reshaped to `parts`, has its channels in groups there, which are the
// last dimension but one.
bool GroupsChannels(const Shape& images, const Shape& parts) {
  const size_t rank = parts.size();
  return images.size() == 4 && LayoutOf(images) != Layout::kFlat && rank >= 3 &&
         int64_t{parts[rank - 2]} * parts[rank - 1] == images[3];
}

}  // namespace

void MakeShuffles(Program* program) {
  std::vector<Step>& steps = program->steps;
  for (size_t s = 0; s < steps.size(); ++s) {
    if (!ExchangesRowsAndColumns(*steps[s].op)) continue;
    const int parted = steps[s].inputs[0], exchanged = steps[s].output;
    const Step* const before = program->Maker(parted);
    const Step* const behind = program->Reader(exchanged);
    if (before == nullptr || !before->op->Reshapes() || !program->Between(parted) ||
        behind == nullptr || !behind->op->Reshapes() || !program->Between(exchanged)) {
      continue;
    }
    const Shape& images = program->shapes[before->inputs[0]];
    const Shape& parts = program->shapes[parted];
    if (images != program->shapes[behind->output] || !GroupsChannels(images, parts)) {
      continue;
    }
    Step shuffle = steps[s];
    shuffle.made = std::make_shared<ShuffleChannels>(parts[parts.size() - 2]);
    shuffle.op = shuffle.made.get();
    shuffle.inputs = before->inputs;
    shuffle.output = behind->output;
    shuffle.ops.insert(shuffle.ops.begin(), before->ops.begin(), before->ops.end());
    shuffle.ops.insert(shuffle.ops.end(), behind->ops.begin(), behind->ops.end());
    // (The later one first.)
    const auto at = [&](const Step* step) { return steps.begin() + (step - steps.data()); };
    const auto first = at(before), last = at(behind);
    steps[s] = std::move(shuffle);
    steps.erase(last);
    steps.erase(first);
    --s;
  }
}

}  // namespace sbnn
