#include "delegate/file/session.h"

#include <algorithm>
#include <chrono>
#include <set>
#include <string>
#include <utility>

#include "delegate/file/versions.h"
#include "delegate/format/weight_store.h"
#include "delegate/translation/constants.h"
#include "delegate/translation/cost.h"
#include "delegate/translation/int_array.h"
#include "delegate/translation/op_names.h"
#include "delegate/translation/translate.h"
#include "delegate/translation/typical_shapes.h"

namespace sbnn {
namespace {

std::string NameOf(const Subgraph& graph, int tensor) {
  return "tensor " + std::to_string(tensor) + " '" + graph.tensor(tensor).name + "'";
}

}  // namespace

Status Session::Make(Model* model, int subgraph, const Options& options,
                     std::unique_ptr<Session>* session) {
  std::unique_ptr<Session> made(new Session);
  made->options_ = options;
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

  std::string refused;
  std::set<int> read, written;
  std::vector<int> nodes;
  std::vector<NetworkReport::Op> ops;
  for (int n = 0; n < graph->node_count(); ++n) {
    nodes.push_back(n);
    NodeRecord record = {number, n, OpName(graph->registration(n)), "", -1, 0, 0};
    const TfLiteRegistration& registration = graph->registration(n);
    const Status known = CheckVersion(registration.builtin_code, registration.version);
    record.reason = known.message();
    if (known.ok() && !constants.Unpacks(n)) {
      std::vector<std::shared_ptr<const PackedWeights>> packed;
      NodeView view{context,   &graph->node(n), &graph->registration(n),
                    constants, shapes,          *options_.kernels,
                    weights,   &packed};
      std::vector<Translation> translations;
      const int outputs = std::max(1, view.node->outputs->size);
      for (status = Status(); status.ok() && view.which < outputs; ++view.which) {
        translations.emplace_back();
        status = Translate(view, &translations.back());
      }
      record.reason = status.message();
      shapes.Follow(*view.node, translations);
      if (status.ok()) {
        const Prediction time = PredictNode(view, translations[0], packed);
        record = {number, n, record.op, "", 0, time.here, time.stock};
        for (Translation& t : translations) {
          read.insert(t.inputs.begin(), t.inputs.end());
          written.insert(t.output);
          for (const auto& [tensor, type] : t.types) network_.SetType(tensor, type);
          ops.push_back({n, time.here / static_cast<double>(translations.size())});
          network_.AddOp(std::move(t.op), t.inputs, t.output,
                         "node " + std::to_string(n) + " " + record.op);
        }
      }
    }
    if (!record.reason.empty()) {
      refused += "\n  node " + std::to_string(n) + " " + record.op + ": " + record.reason;
    }
    reporter->Send(record);
  }
  if (!refused.empty()) return Status::Error("the engine can't run" + refused);

  std::vector<int> inputs;
  for (int t : read) {
    if (written.count(t) != 0) continue;
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
    if (written.count(t) == 0) {
      return Status::Error("output " + NameOf(*graph, t) + " is an input or a constant");
    }
    if (graph->tensor(t).type == kTfLiteInt32) {
      return Status::Error("output " + NameOf(*graph, t) + " is of whole numbers");
    }
  }
  network_.SetInputs(inputs);
  network_.SetOutputs(graph->outputs());
  reporter->Send(
      SubgraphRecord{number, graph->node_count(), graph->node_count(), 1, weights.bytes()});
  status = weights.Save();
  if (!status.ok()) {
    reporter->Send(WarningRecord{"cache_not_written",
                                 "packed weights are not kept: " + status.message(), number});
  }
  report_ = std::make_unique<NetworkReport>(options_.reporter, number, 0, std::move(nodes),
                                            std::move(ops));
  return Status();
}

Status Session::Prepare(const std::vector<Shape>& input_shapes) {
  std::vector<Shape> shapes = constant_shapes_;
  for (size_t i = 0; i < shapes.size(); ++i) {
    if (inputs_[i]) shapes[i] = input_shapes[*inputs_[i]];
  }
  const Status status =
      network_.Prepare(shapes, *options_.kernels, options_.num_threads, options_.allow_fp16);
  if (status.ok()) report_->Planned(network_, shapes);
  return status;
}

Status Session::Run(const std::vector<ConstTensorView>& inputs,
                    const std::vector<TensorView>& outputs) {
  std::vector<ConstTensorView> read;
  for (size_t i = 0; i < inputs_.size(); ++i) {
    const ConstTensorView nothing(nullptr, network_.input_type(i).element);
    read.push_back(inputs_[i] ? inputs[*inputs_[i]] : nothing);
  }
  if (!report_->profiles()) return network_.Run(read, outputs);
  std::vector<double> steps;
  const auto start = std::chrono::steady_clock::now();
  const Status status = network_.Run(read, outputs, &steps);
  const auto end = std::chrono::steady_clock::now();
  if (status.ok()) report_->Ran(std::chrono::duration<double>(end - start).count(), steps);
  return status;
}

void Session::SendProfile() const {
  if (report_->profiles()) report_->SendProfile();
}

}  // namespace sbnn
