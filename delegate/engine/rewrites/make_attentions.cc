#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "delegate/engine/ops/attention.h"
#include "delegate/engine/ops/batch_matmul.h"
#include "delegate/engine/ops/binary.h"
#include "delegate/engine/rewrites/exchanges.h"
#include "delegate/engine/rewrites/rewrites.h"

namespace sbnn {
namespace {

// What is between two products: factors, what is added, factors, a softmax, in this order; and
// before what is added, an exchange of rows and columns.
struct Found {
  size_t scores;           // the first product's step
  std::vector<int> steps;  // of all that go, by their outputs
  float beta = 1;
  Attention::Mask mask;
  int mask_input = -1;     // unless it is a constant
  bool exchanged = false;  // the first product's rows and columns
};

// Whether it may stand between a product and a softmax, besides a sum; then, what it multiplies by.
bool MayFollow(const Op& op, float* factor) {
  *factor = 1;
  return op.AsScale(factor) || ExchangesRowsAndColumns(op);
}

// Takes over a sum of scores and something else; returns which of its inputs the scores are.
size_t TakeSum(Program* program, const Step& step, Found* found) {
  found->mask.exists = true;
  found->mask.factor = found->beta;
  if (step.inputs.size() == 1) {
    found->mask.shape = step.op->AsSum()->constant_shape();
    found->mask.constant = step.op->AsSum()->constant();
    return 0;
  }
  const Step* const maker = program->Maker(step.inputs[0]);
  float factor;
  const bool first =
      maker != nullptr && (maker->op->AsBatchMatMul() != nullptr || MayFollow(*maker->op, &factor));
  found->mask_input = step.inputs[first ? 1 : 0];
  found->mask.shape = program->shapes[found->mask_input];
  return first ? 0 : 1;
}

// What makes the left factor of a product, if that is the softmax of another one.
std::optional<Found> Find(Program* program, const Step& product) {
  Found found;
  const Step* step = program->Maker(product.inputs[0]);
  if (step == nullptr || !step->op->AsSoftmax(&found.beta)) return std::nullopt;
  for (float factor = 1;; found.beta *= factor) {
    const bool sums = step->op->AsSum() != nullptr;
    if (sums && (found.mask.exists || found.exchanged)) return std::nullopt;
    const bool exchanges = ExchangesRowsAndColumns(*step->op);
    found.exchanged ^= exchanges;
    const int output = step->output;
    const int input = step->inputs[sums ? TakeSum(program, *step, &found) : 0];
    found.steps.push_back(output);
    // (One that changes the shape spreads what it multiplies, or adds to.)
    if (!program->Between(output) ||
        (!exchanges && program->shapes[input] != program->shapes[output])) {
      return std::nullopt;
    }
    step = program->Maker(input);
    if (step == nullptr) return std::nullopt;
    if (step->op->AsBatchMatMul() != nullptr) break;
    if (!MayFollow(*step->op, &factor) && step->op->AsSum() == nullptr) return std::nullopt;
  }
  if (!program->Between(step->output) || !(found.beta > 0)) return std::nullopt;
  found.steps.push_back(step->output);
  found.scores = static_cast<size_t>(step - program->steps.data());
  return found;
}

// Erases the step that makes `output`, and puts its operators in the place that `ops` has for them.
void Take(int output, bool behind, Program* program, std::vector<int>* ops) {
  const Step* const step = program->Maker(output);
  ops->insert(behind ? ops->end() : ops->begin(), step->ops.begin(), step->ops.end());
  program->steps.erase(program->steps.begin() + (step - program->steps.data()));
}

// Reads what a TRANSPOSE reads, where that lies row by row.
void SkipTranspose(int i, Attention* attention, int made, Program* program) {
  Step* step = program->Maker(made);
  const int between = step->inputs[i];
  const Step* const maker = program->Maker(between);
  const std::vector<int>* const order = maker == nullptr ? nullptr : maker->op->AsTranspose();
  if (order == nullptr || !program->Between(between) ||
      LayoutOf(program->shapes[maker->inputs[0]]) != Layout::kFlat) {
    return;
  }
  attention->operand(i)->strides = ExchangedStrides(program->shapes[between], *order);
  step->inputs[i] = maker->inputs[0];
  std::vector<int> ops = step->ops;
  Take(between, false, program, &ops);
  program->Maker(made)->ops = std::move(ops);
}

// Writes what a TRANSPOSE behind it would have written.
void SkipTransposeBehind(Attention* attention, int made, Program* program) {
  const Step* const reader = program->Reader(made);
  const std::vector<int>* const order = reader == nullptr ? nullptr : reader->op->AsTranspose();
  if (order == nullptr || !program->Between(made) ||
      LayoutOf(program->shapes[reader->output]) != Layout::kFlat) {
    return;
  }
  std::vector<int> inverse(order->size());
  for (size_t d = 0; d < order->size(); ++d) inverse[(*order)[d]] = static_cast<int>(d);
  attention->result()->strides = ExchangedStrides(program->shapes[made], inverse);
  Step* const step = program->Maker(made);
  const int written = reader->output;
  step->output = -1;
  std::vector<int> ops = step->ops;
  Take(written, true, program, &ops);
  Step* const moved = program->Maker(-1);
  moved->output = written;
  moved->ops = std::move(ops);
}

}  // namespace

void MakeAttentions(Program* program) {
  std::vector<Step>& steps = program->steps;
  for (size_t p = 0; p < steps.size(); ++p) {
    const BatchMatMul* const product = steps[p].op->AsBatchMatMul();
    if (product == nullptr || product->transpose_a()) continue;
    const std::optional<Found> found = Find(program, steps[p]);
    if (!found.has_value()) continue;
    const Step& scores = steps[found->scores];
    const BatchMatMul& first = *scores.op->AsBatchMatMul();
    // (The product of two matrices, transposed, is that of the transposed ones by turns.)
    const bool exchanged = found->exchanged;
    std::vector<int> inputs = {scores.inputs[exchanged ? 1 : 0], scores.inputs[exchanged ? 0 : 1],
                               steps[p].inputs[1]};
    const bool a = first.transpose_a(), b = first.transpose_b();
    const auto operand = [&](int i, bool transposed) {
      return Attention::Operand{program->shapes[inputs[i]], transposed, {}};
    };
    const int made = steps[p].output;
    auto attention = std::make_shared<Attention>(
        found->beta,
        std::array<Attention::Operand, 3>{operand(0, exchanged ? !b : a),
                                          operand(1, exchanged ? !a : b),
                                          operand(2, product->transpose_b())},
        found->mask, Attention::Operand{program->shapes[made], false, {}});
    steps[p].op = attention.get();
    steps[p].made = attention;
    if (found->mask_input >= 0) inputs.push_back(found->mask_input);
    steps[p].inputs = inputs;
    std::vector<int> ops = steps[p].ops;
    for (int output : found->steps) Take(output, false, program, &ops);
    program->Maker(made)->ops = std::move(ops);
    for (int i = 0; i < 3; ++i) SkipTranspose(i, attention.get(), made, program);
    SkipTransposeBehind(attention.get(), made, program);
    p = 0;  // steps before it are gone
  }
}

}  // namespace sbnn
