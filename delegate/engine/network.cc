#include "delegate/engine/network.h"

#include <chrono>
#include <numeric>
#include <utility>

#include "delegate/engine/layout.h"
#include "delegate/engine/ops/convert.h"
#include "delegate/engine/ops/relayout.h"
#include "delegate/engine/rewrites/rewrites.h"

namespace sbnn {

void Network::AddOp(std::unique_ptr<Op> op, std::vector<int> inputs, int output,
                    std::string label) {
  const int number = static_cast<int>(labels_.size());
  graph_.nodes.push_back({std::move(op), std::move(inputs), output, {number}});
  labels_.push_back(std::move(label));
}

std::vector<Network::StepInfo> Network::Steps() const {
  std::vector<StepInfo> infos;
  for (const Step& step : program_.steps) {
    step.ForEachLink([&](const Op& op, const std::vector<int>& ops) {
      StepInfo info{ops, op.Converts() ? "conversion" : "",
                    !op.Converts() && step.kernels != kernels_, op.Remark()};
      for (int i : ops) info.label += (i == ops.front() ? "" : " + ") + labels_[i];
      infos.push_back(std::move(info));
    });
  }
  return infos;
}

Status Network::Prepare(const std::vector<Shape>& input_shapes, const Kernels& kernels, int threads,
                        bool allow_fp16) {
  const Lock lock(mutex_);
  if (!rewritten_) {
    AbsorbMargins(&graph_);
    MakeSwishes(&graph_);
  }
  rewritten_ = true;
  kernels_ = &kernels;
  threads_ = threads;
  prepared_ = false;
  program_ = Program();
  std::vector<Shape> shapes;
  const Status status = graph_.InferShapes(input_shapes, &shapes);
  if (!status.ok()) return status;
  const Status typed = graph_.CheckTypes(shapes);
  if (!typed.ok()) return typed;
  output_shapes_.clear();
  for (int t : graph_.outputs) output_shapes_.push_back(shapes[t]);
  if (convert_ == nullptr) convert_ = std::make_unique<Convert>();
  Program program(graph_, std::move(shapes));
  MakeShuffles(&program);
  JoinReshapes(&program);
  MakeAttentions(&program);
  FuseEpilogues(&program);
  FoldGates(&program);
  ChooseTypes(kernels, allow_fp16, convert_.get(), &program);
  if (relayout_ == nullptr) relayout_ = std::make_unique<Relayout>();
  ChooseLayouts(relayout_.get(), &program);
  MakeChains(cache_bytes_, &program);
  program_ = std::move(program);
  const Status placed = placement_.Place(program_, threads);
  prepared_ = placed.ok();
  return placed;
}

Status Network::CheckViews(const std::vector<ConstTensorView>& inputs,
                           const std::vector<TensorView>& outputs) const {
  if (inputs.size() != graph_.inputs.size() || outputs.size() != graph_.outputs.size()) {
    return Status::Error("expected " + std::to_string(graph_.inputs.size()) + " inputs and " +
                         std::to_string(graph_.outputs.size()) + " outputs, found " +
                         std::to_string(inputs.size()) + " and " + std::to_string(outputs.size()));
  }
  const auto check = [](const std::string& what, ElementType expected, ElementType found) {
    if (expected == found) return Status();
    return Status::Error(what + ": expected " + NameOf(expected) + ", found " + NameOf(found));
  };
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Status status =
        check("input " + std::to_string(i), input_type(i).element, inputs[i].type);
    if (!status.ok()) return status;
  }
  for (size_t i = 0; i < outputs.size(); ++i) {
    const Status status =
        check("output " + std::to_string(i), output_type(i).element, outputs[i].type);
    if (!status.ok()) return status;
  }
  return Status();
}

Status Network::Run(const std::vector<ConstTensorView>& inputs,
                    const std::vector<TensorView>& outputs, std::vector<double>* seconds) {
  const Lock lock(mutex_);
  if (seconds != nullptr) seconds->clear();
  if (!prepared_) return Status::Error("the network runs without having been prepared");
  const Status status = CheckViews(inputs, outputs);
  if (!status.ok()) return status;
  Team team(threads_);
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (program_.IsEmpty(program_.inputs[i])) continue;
    Tensor& t = placement_.tensor(program_.inputs[i]);
    if (placement_.Outside(program_, program_.inputs[i])) {
      t.data = const_cast<void*>(inputs[i].data);  // operators only read it
    } else {
      FromOutside(inputs[i], t, *kernels_, team);
    }
  }
  for (size_t n = 0; n < program_.steps.size(); ++n) {
    const Step& step = program_.steps[n];
    std::vector<double> links;
    placement_.ahead().Begin(n);
    const RunContext context{*step.kernels, team, placement_.scratch(n), &placement_.ahead(),
                             seconds == nullptr ? nullptr : &links};
    if (seconds == nullptr) {
      step.op->Run(placement_.inputs(n), placement_.tensor(step.output), context);
      continue;
    }
    const auto start = std::chrono::steady_clock::now();
    step.op->Run(placement_.inputs(n), placement_.tensor(step.output), context);
    const auto end = std::chrono::steady_clock::now();
    const double whole = std::chrono::duration<double>(end - start).count();
    if (links.empty()) links = {1.0};
    // Of a step's time each link gets its share of the threads' time.
    const double all = std::accumulate(links.begin(), links.end(), 0.0);
    for (double link : links) {
      seconds->push_back(whole * (all > 0 ? link / all : 1.0 / links.size()));
    }
  }
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (program_.IsEmpty(program_.results[i])) continue;
    ToOutside(placement_.tensor(program_.results[i]), outputs[i], *kernels_, team);
  }
  return Status();
}

}  // namespace sbnn
