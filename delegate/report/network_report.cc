#include "delegate/report/network_report.h"

#include <algorithm>
#include <utility>

namespace sbnn {

NetworkReport::NetworkReport(std::shared_ptr<Reporter> reporter, int subgraph, int part,
                             std::vector<int> nodes, std::vector<Op> ops)
    : reporter_(std::move(reporter)),
      subgraph_(subgraph),
      part_(part),
      nodes_(std::move(nodes)),
      ops_(std::move(ops)) {}

std::vector<StepFacts> NetworkReport::StepsOf(const std::vector<Network::StepInfo>& infos) const {
  std::vector<StepFacts> steps;
  for (const Network::StepInfo& info : infos) {
    StepFacts step;
    step.step = static_cast<int>(steps.size());
    step.label = info.label;
    for (int i : info.ops) {
      const Op& op = ops_[static_cast<size_t>(i)];
      if (std::find(step.nodes.begin(), step.nodes.end(), op.node) == step.nodes.end()) {
        step.nodes.push_back(op.node);
      }
      step.predicted += op.predicted;
    }
    steps.push_back(std::move(step));
  }
  return steps;
}

void NetworkReport::Planned(const Network& network, const std::vector<Shape>& inputs) {
  if (!reporter_->active()) return;
  const auto found = plannings_.find(inputs);
  if (found != plannings_.end()) {
    now_ = &found->second;
    return;
  }
  const std::vector<Network::StepInfo> infos = network.Steps();
  Planning made;
  made.plan = {subgraph_, part_, static_cast<int>(plannings_.size()), inputs};
  made.steps = StepsOf(infos);
  made.of_steps.resize(infos.size());
  now_ = &plannings_.emplace(inputs, std::move(made)).first->second;
  reporter_->Send(PartRecord{now_->plan, nodes_, network.arena_bytes()});
  for (size_t i = 0; i < infos.size(); ++i) {
    reporter_->Send(StepRecord{now_->plan, now_->steps[i], infos[i].fp16, infos[i].remark});
  }
}

void NetworkReport::Ran(double seconds, const std::vector<double>& steps) {
  now_->whole.Add(seconds);
  for (size_t i = 0; i < steps.size(); ++i) now_->of_steps[i].Add(steps[i]);
}

void NetworkReport::SendProfile() const {
  std::vector<const Planning*> in_order(plannings_.size());
  for (const auto& [inputs, planning] : plannings_) {
    in_order[static_cast<size_t>(planning.plan.plan)] = &planning;
  }
  for (const Planning* planning : in_order) {
    if (planning->whole.Summary().count == 0) continue;
    reporter_->Send(PartProfileRecord{planning->plan, planning->whole.Summary()});
    for (size_t i = 0; i < planning->steps.size(); ++i) {
      const Runs runs = planning->of_steps[i].Summary();
      if (runs.count > 0) {
        reporter_->Send(StepProfileRecord{planning->plan, planning->steps[i], runs});
      }
    }
  }
}

}  // namespace sbnn
