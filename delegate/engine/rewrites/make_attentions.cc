#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "delegate/engine/ops/attention.h"
#include "delegate/engine/ops/batch_matmul.h"
#include "delegate/engine/rewrites/rewrites.h"

namespace sbnn {
namespace {

// What is between two products: factors, a softmax, in this order.
struct Found {
  size_t scores;           // the first product's step
  std::vector<int> steps;  // of all that go, by their outputs
  float beta = 1;
};

// What makes the left factor of a product, if that is the softmax of another one.
std::optional<Found> Find(Program* program, const Step& product) {
  Found found;
  const Step* step = program->Maker(product.inputs[0]);
  if (step == nullptr || !step->op->AsSoftmax(&found.beta)) return std::nullopt;
  for (float factor = 1;; found.beta *= factor) {
    const int output = step->output, input = step->inputs[0];
    found.steps.push_back(output);
    // (One that changes the shape spreads what it multiplies.)
    if (!program->Between(output) || program->shapes[input] != program->shapes[output]) {
      return std::nullopt;
    }
    step = program->Maker(input);
    if (step == nullptr) return std::nullopt;
    if (step->op->AsBatchMatMul() != nullptr) break;
    if (!step->op->AsScale(&factor)) return std::nullopt;
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
    const std::vector<int> inputs = {scores.inputs[0], scores.inputs[1], steps[p].inputs[1]};
    const auto operand = [&](int i, bool transposed) {
      return Attention::Operand{program->shapes[inputs[i]], transposed, {}};
    };
    const int made = steps[p].output;
    auto attention = std::make_shared<Attention>(
        found->beta,
        std::array<Attention::Operand, 3>{operand(0, first.transpose_a()),
                                          operand(1, first.transpose_b()),
                                          operand(2, product->transpose_b())},
        Attention::Operand{program->shapes[made], false, {}});
    steps[p].op = attention.get();
    steps[p].made = attention;
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
