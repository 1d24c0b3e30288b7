// Translated nodes that run as one network, which reports what it is and how long it takes.
#ifndef SBNN_DELEGATE_TRANSLATION_RUNNER_H_
#define SBNN_DELEGATE_TRANSLATION_RUNNER_H_

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "delegate/engine/network.h"
#include "delegate/report/network_report.h"
#include "delegate/translation/nodes.h"
#include "delegate/translation/options.h"

namespace sbnn {

class Runner {
 public:
  explicit Runner(const Options& options) : options_(options) {}

  // The operators of a node, which are taken out of it; in an order in which they can run.
  void Add(TranslatedNode* node);
  // What the nodes read of others', by number.
  std::vector<int> Inputs() const;
  bool Writes(int tensor) const { return written_.count(tensor) != 0; }

  // After the last node. `nodes` are all that the reports are to name.
  void Finish(std::vector<int> inputs, std::vector<int> outputs, int subgraph, int part,
              std::vector<int> nodes);

  // For these shapes of the inputs. May be called again with others.
  Status Prepare(const std::vector<Shape>& inputs);
  void ReportPlan(const std::vector<Shape>& inputs) { report_->Planned(network_, inputs); }
  // With the option `profile` it is measured.
  Status Run(const std::vector<ConstTensorView>& inputs, const std::vector<TensorView>& outputs);
  // Of all runs, if one was asked for.
  void SendProfile() const;

  const Network& network() const { return network_; }

 private:
  const Options options_;
  Network network_;
  std::set<int> read_, written_;
  std::vector<NetworkReport::Op> ops_;
  std::optional<NetworkReport> report_;
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_TRANSLATION_RUNNER_H_
