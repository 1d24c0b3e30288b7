#include "delegate/translation/runner.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

namespace sbnn {

void Runner::Add(TranslatedNode* node) {
  const std::string label = "node " + std::to_string(node->node) + " " + node->op;
  const auto count = static_cast<double>(node->translations.size());
  for (Translation& t : node->translations) {
    read_.insert(t.inputs.begin(), t.inputs.end());
    written_.insert(t.output);
    for (const auto& [tensor, type] : t.types) network_.SetType(tensor, type);
    ops_.push_back({node->node, node->time.here / count});
    network_.AddOp(std::move(t.op), std::move(t.inputs), t.output, label);
  }
  node->translations.clear();
}

std::vector<int> Runner::Inputs() const {
  std::vector<int> inputs;
  std::set_difference(read_.begin(), read_.end(), written_.begin(), written_.end(),
                      std::back_inserter(inputs));
  return inputs;
}

void Runner::Finish(std::vector<int> inputs, std::vector<int> outputs, int subgraph, int part,
                    std::vector<int> nodes) {
  network_.SetInputs(std::move(inputs));
  network_.SetOutputs(std::move(outputs));
  report_.emplace(options_.reporter, subgraph, part, std::move(nodes), std::move(ops_));
}

Status Runner::Prepare(const std::vector<Shape>& inputs) {
  return network_.Prepare(inputs, *options_.kernels, options_.num_threads, options_.allow_fp16);
}

Status Runner::Run(const std::vector<ConstTensorView>& inputs,
                   const std::vector<TensorView>& outputs) {
  if (!report_->profiles()) return network_.Run(inputs, outputs);
  std::vector<double> steps;
  const auto start = std::chrono::steady_clock::now();
  const Status status = network_.Run(inputs, outputs, &steps);
  const auto end = std::chrono::steady_clock::now();
  if (status.ok()) report_->Ran(std::chrono::duration<double>(end - start).count(), steps);
  return status;
}

void Runner::SendProfile() const {
  if (report_ && report_->profiles()) report_->SendProfile();
}

}  // namespace sbnn
