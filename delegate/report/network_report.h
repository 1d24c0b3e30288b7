// Reports of a network that runs as a part of a model: what its steps are, and their times.
#ifndef SBNN_DELEGATE_REPORT_NETWORK_REPORT_H_
#define SBNN_DELEGATE_REPORT_NETWORK_REPORT_H_

#include <map>
#include <memory>
#include <vector>

#include "delegate/engine/network.h"
#include "delegate/report/records.h"
#include "delegate/report/reporter.h"
#include "delegate/report/times.h"

namespace sbnn {

class NetworkReport {
 public:
  // One of the network's operators: the model's node that it is of, and what is predicted for it.
  struct Op {
    int node = 0;
    double predicted = 0;  // seconds
  };

  // `ops` in the order of Network::AddOp.
  NetworkReport(std::shared_ptr<Reporter> reporter, int subgraph, int part, std::vector<int> nodes,
                std::vector<Op> ops);

  // The network is planned for these shapes of its inputs: reports that, the first time.
  void Planned(const Network& network, const std::vector<Shape>& inputs);

  bool profiles() const { return reporter_->profiles(); }
  // It ran, as it was planned last: seconds in all and by step.
  void Ran(double seconds, const std::vector<double>& steps);
  // Reports the times of all runs, for each plan that there was.
  void SendProfile() const;

 private:
  struct Planning {
    PlanFacts plan;
    std::vector<StepFacts> steps;
    Times whole;
    std::vector<Times> of_steps;
  };

  std::vector<StepFacts> StepsOf(const std::vector<Network::StepInfo>& infos) const;

  const std::shared_ptr<Reporter> reporter_;
  const int subgraph_, part_;
  const std::vector<int> nodes_;
  const std::vector<Op> ops_;
  std::map<std::vector<Shape>, Planning> plannings_;
  Planning* now_ = nullptr;
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_REPORT_NETWORK_REPORT_H_
