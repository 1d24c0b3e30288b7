#include "delegate/tflite/part.h"

#include <algorithm>
#include <cstdio>
#include <limits>
#include <set>
#include <string>
#include <utility>

#include "delegate/tflite/explain.h"
#include "delegate/tflite/int_array.h"
#include "delegate/tflite/translate.h"

namespace sbnn {
namespace {

Shape ShapeOf(const TfLiteTensor& tensor) {
  return Shape(tensor.dims->data, tensor.dims->data + tensor.dims->size);
}

bool Has(const std::vector<int>& tensors, int tensor) {
  return std::find(tensors.begin(), tensors.end(), tensor) != tensors.end();
}

}  // namespace

Part::Part(TfLiteContext* context, const TfLiteDelegateParams& params, const Constants& constants,
           const Options& options, Translations* translations)
    : options_(options) {
  status_ = Build(context, params, constants, translations);
}

bool Part::Reads(int tensor) const { return Has(inputs_, tensor); }
bool Part::Writes(int tensor) const { return Has(outputs_, tensor); }

void Part::PrintProfile() const {
  if (least_seconds_.empty()) return;
  double total = 0;
  const std::vector<std::string> labels = network_.labels();
  for (size_t i = 0; i < least_seconds_.size(); ++i) {
    std::fprintf(stderr, "%10.1f us  %s\n", least_seconds_[i] * 1e6, labels[i].c_str());
    total += least_seconds_[i];
  }
  std::fprintf(stderr, "%10.1f us  in all\n", total * 1e6);
}

Status Part::Build(TfLiteContext* context, const TfLiteDelegateParams& params,
                   const Constants& constants, Translations* translations) {
  std::set<int> read, written;
  const TfLiteIntArray& nodes = *params.nodes_to_replace;
  for (int i = 0; i < nodes.size; ++i) {
    TfLiteNode* node;
    TfLiteRegistration* registration;
    if (context->GetNodeAndRegistration(context, nodes.data[i], &node, &registration) !=
        kTfLiteOk) {
      return Status::Error("node " + std::to_string(nodes.data[i]) + " is not to be had");
    }
    if (constants.Unpacks(nodes.data[i])) continue;
    std::string label = "node " + std::to_string(nodes.data[i]) + " " + OpName(*registration);
    const auto found = translations->find(nodes.data[i]);
    if (found == translations->end()) return Status::Error(label + " was not claimed");
    char predicted[48];
    std::snprintf(predicted, sizeof(predicted), " (predicted %.1f us)",
                  found->second[0].predicted * 1e6);
    label += predicted;
    for (Translation& t : found->second) {
      read.insert(t.inputs.begin(), t.inputs.end());
      written.insert(t.output);
      network_.AddOp(std::move(t.op), t.inputs, t.output, label);
    }
  }
  for (int t : read) {
    if (written.count(t) == 0) inputs_.push_back(t);
  }
  for (int i = 0; i < params.output_tensors->size; ++i) {
    const int t = params.output_tensors->data[i];
    if (written.count(t) != 0) outputs_.push_back(t);
  }
  network_.SetInputs(inputs_);
  network_.SetOutputs(outputs_);
  return Status();
}

std::string Part::ReportHalves() const {
  if (options_.halves == nullptr) {
    return "allow_fp16: none, for " + std::string(options_.kernels->isa) +
           " has no kernels of halves, or this CPU no arithmetic on them\n";
  }
  std::string report;
  for (const Network::StepInfo& step : network_.Steps()) {
    if (step.fp16) report += step.label + " in halves\n";
  }
  return report.empty() ? "allow_fp16: no operator of this part computes in halves\n" : report;
}

Status Part::Prepare(TfLiteContext* context) {
  if (!status_.ok()) return status_;
  least_seconds_.clear();                 // other shapes have other steps
  if (outputs_.empty()) return Status();  // only unpacks constants for other parts
  std::vector<Shape> shapes;
  for (int t : inputs_) shapes.push_back(ShapeOf(context->tensors[t]));
  const Status status =
      network_.Prepare(shapes, *options_.kernels, options_.num_threads, options_.halves);
  if (!status.ok()) return status;
  Explain(options_.explain,
          "activations of a part: " + std::to_string(network_.arena_bytes()) + " bytes\n");
  for (const Network::StepInfo& step : network_.Steps()) {
    if (!step.remark.empty()) Explain(options_.explain, step.label + ": " + step.remark + "\n");
  }
  if (options_.allow_fp16) Explain(options_.explain, ReportHalves());
  for (size_t i = 0; i < outputs_.size(); ++i) {
    TfLiteTensor* const tensor = &context->tensors[outputs_[i]];
    if (ShapeOf(*tensor) == network_.output_shape(i)) continue;
    IntArray dims = MakeIntArray(network_.output_shape(i));
    if (context->ResizeTensor(context, tensor, dims.release()) != kTfLiteOk) {
      return Status::Error("an output could not be resized");
    }
  }
  return Status();
}

void Part::Run(TfLiteContext* context) {
  if (outputs_.empty()) return;
  std::vector<const float*> inputs;
  for (int t : inputs_) inputs.push_back(context->tensors[t].data.f);
  std::vector<float*> outputs;
  for (int t : outputs_) outputs.push_back(context->tensors[t].data.f);
  if (!options_.profile) {
    network_.Run(inputs, outputs);
    return;
  }
  std::vector<double> seconds;
  network_.Run(inputs, outputs, &seconds);
  least_seconds_.resize(seconds.size(), std::numeric_limits<double>::infinity());
  for (size_t i = 0; i < seconds.size(); ++i) {
    least_seconds_[i] = std::min(least_seconds_[i], seconds[i]);
  }
}

}  // namespace sbnn
