#include "delegate/file/session.h"

#include <algorithm>
#include <string>
#include <utility>

#include "delegate/format/weight_store.h"
#include "delegate/translation/constants.h"
#include "delegate/translation/int_array.h"
#include "delegate/translation/nodes.h"
#include "delegate/translation/typical_shapes.h"

namespace sbnn {
namespace {

std::string NameOf(const Subgraph& graph, int tensor) {
  return "tensor " + std::to_string(tensor) + " '" + graph.tensor(tensor).name + "'";
}

}  // namespace

Status Session::Make(Model* model, int subgraph, const Options& options,
                     std::unique_ptr<Session>* session) {
  std::unique_ptr<Session> made(new Session(options));
  const Status status = made->Build(&model->subgraph(subgraph), subgraph);
  if (status.ok()) *session = std::move(made);
  return status;
}

Status Session::Build(Subgraph* graph, int number) {
  TfLiteContext* const context = graph->context();
  TfLiteIntArray* plan = nullptr;
  context->GetExecutionPlan(context, &plan);
  const Constants constants(context, *plan);
  Status status = constants.CheckSparse(context);
  if (!status.ok()) return status;
  TypicalShapes shapes(*context, {graph->inputs().begin(), graph->inputs().end()});
  WeightStore weights(options_.cache_path);
  Reporter* const reporter = options_.reporter.get();

  for (const auto& [tensor, shape] : shapes.assumed()) {
    reporter->Send(OpenInputRecord{number, tensor, graph->tensor(tensor).name, shape});
  }

  std::vector<TranslatedNode> nodes;
  status = TranslateNodes(context, *plan, constants, options_, &shapes, &weights, &nodes);
  if (!status.ok()) return status;
  std::string refused;
  for (TranslatedNode& node : nodes) {
    const bool unpacks = constants.Unpacks(node.node);
    const int part = node.reason.empty() && !unpacks ? 0 : -1;
    reporter->Send(
        NodeRecord{number, node.node, node.op, node.reason, part, node.time.here, node.time.stock});
    if (node.reason.empty()) {
      runner_.Add(&node);
    } else {
      refused += "\n  node " + std::to_string(node.node) + " " + node.op + ": " + node.reason;
    }
  }
  if (!refused.empty()) return Status::Error("the engine can't run" + refused);

  std::vector<int> inputs;
  for (int t : runner_.Inputs()) {
    const auto at = std::find(graph->inputs().begin(), graph->inputs().end(), t);
    const bool given = at != graph->inputs().end();
    const Shape shape = ToVector(graph->tensor(t).dims);
    if (!given && ElementCount(shape) != 0) {
      return Status::Error(NameOf(*graph, t) + " is a variable: the engine keeps none");
    }
    if (given && graph->tensor(t).type == kTfLiteInt32) {
      return Status::Error("input " + NameOf(*graph, t) + " is of whole numbers");
    }
    inputs.push_back(t);
    inputs_.push_back(given ? std::optional<size_t>(at - graph->inputs().begin()) : std::nullopt);
    constant_shapes_.push_back(shape);
  }
  for (int t : graph->outputs()) {
    if (!runner_.Writes(t)) {
      return Status::Error("output " + NameOf(*graph, t) + " is an input or a constant");
    }
    if (graph->tensor(t).type == kTfLiteInt32) {
      return Status::Error("output " + NameOf(*graph, t) + " is of whole numbers");
    }
  }
  runner_.Finish(inputs, graph->outputs(), number, 0, ToVector(plan));
  reporter->Send(
      SubgraphRecord{number, graph->node_count(), graph->node_count(), 1, weights.bytes()});
  status = weights.Save();
  if (!status.ok()) {
    reporter->Send(WarningRecord{"cache_not_written",
                                 "packed weights are not kept: " + status.message(), number});
  }
  return Status();
}

Status Session::Prepare(const std::vector<Shape>& input_shapes) {
  std::vector<Shape> shapes = constant_shapes_;
  for (size_t i = 0; i < shapes.size(); ++i) {
    if (inputs_[i]) shapes[i] = input_shapes[*inputs_[i]];
  }
  const Status status = runner_.Prepare(shapes);
  if (status.ok()) runner_.ReportPlan(shapes);
  return status;
}

Status Session::Run(const std::vector<ConstTensorView>& inputs,
                    const std::vector<TensorView>& outputs) {
  std::vector<ConstTensorView> read;
  for (size_t i = 0; i < inputs_.size(); ++i) {
    const ConstTensorView nothing(nullptr, runner_.network().input_type(i).element);
    read.push_back(inputs_[i] ? inputs[*inputs_[i]] : nothing);
  }
  return runner_.Run(read, outputs);
}

}  // namespace sbnn
