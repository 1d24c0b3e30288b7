#include "delegate/tflite/part.h"

#include <algorithm>
#include <chrono>
#include <set>
#include <string>
#include <utility>

#include "delegate/translation/int_array.h"
#include "delegate/translation/op_names.h"
#include "delegate/translation/translate.h"

namespace sbnn {
namespace {

bool IsEmptyImage(const Shape& shape) { return shape.size() == 4 && ElementCount(shape) == 0; }

std::string ToString(const std::vector<Shape>& shapes) {
  std::string text;
  for (const Shape& shape : shapes) {
    text += text.empty() ? "[" : ", [";
    for (size_t d = 0; d < shape.size(); ++d) {
      text += (d == 0 ? "" : ", ") + std::to_string(shape[d]);
    }
    text += "]";
  }
  return text;
}

bool Has(const std::vector<int>& tensors, int tensor) {
  return std::find(tensors.begin(), tensors.end(), tensor) != tensors.end();
}

}  // namespace

Part::Part(TfLiteContext* context, const TfLiteDelegateParams& params, const Constants& constants,
           const Options& options, int subgraph, int number, bool any_size,
           Translations* translations)
    : options_(options) {
  std::vector<NetworkReport::Op> ops;
  status_ = Build(context, params, constants, translations, &ops);
  const TfLiteIntArray& nodes = *params.nodes_to_replace;
  report_.emplace(options.reporter, subgraph, number,
                  std::vector<int>(nodes.data, nodes.data + nodes.size), std::move(ops));
  if (any_size) placeholders_ = InputShapes(*context);
}

std::vector<Shape> Part::InputShapes(const TfLiteContext& context) const {
  std::vector<Shape> shapes;
  for (int t : inputs_) shapes.push_back(ToVector(context.tensors[t].dims));
  return shapes;
}

bool Part::Reads(int tensor) const { return Has(inputs_, tensor); }
bool Part::Writes(int tensor) const { return Has(outputs_, tensor); }

void Part::SendProfile() const {
  if (report_->profiles()) report_->SendProfile();
}

Status Part::Build(TfLiteContext* context, const TfLiteDelegateParams& params,
                   const Constants& constants, Translations* translations,
                   std::vector<NetworkReport::Op>* ops) {
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
    const std::string label = "node " + std::to_string(nodes.data[i]) + " " + OpName(*registration);
    const auto found = translations->find(nodes.data[i]);
    if (found == translations->end()) return Status::Error(label + " was not claimed");
    const auto count = static_cast<double>(found->second.size());
    for (Translation& t : found->second) {
      read.insert(t.inputs.begin(), t.inputs.end());
      written.insert(t.output);
      for (const auto& [tensor, type] : t.types) network_.SetType(tensor, type);
      ops->push_back({nodes.data[i], found->second[0].predicted / count});
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

Status Part::Prepare(TfLiteContext* context) {
  if (!status_.ok()) return status_;
  if (outputs_.empty()) return Status();  // only unpacks constants for other parts
  const std::vector<Shape> shapes = InputShapes(*context);
  prepared_ =
      network_.Prepare(shapes, *options_.kernels, options_.num_threads, options_.allow_fp16);
  if (shapes == placeholders_) {
    // Before the user says how large the inputs are, they may be too small for the network, which
    // is an error only if it runs; nor would others make anything of images without pixels.
    for (size_t i = 0; i < outputs_.size() && prepared_.ok(); ++i) {
      if (IsEmptyImage(network_.output_shape(i))) prepared_ = Status::Error("no pixels are left");
    }
    if (!prepared_.ok()) {
      prepared_ = Status::Error("the model takes any size, but not this one, " + ToString(shapes) +
                                " (was it resized?): " + prepared_.message());
      return Status();
    }
  }
  if (!prepared_.ok()) return prepared_;
  report_->Planned(network_, shapes);
  for (size_t i = 0; i < outputs_.size(); ++i) {
    TfLiteTensor* const tensor = &context->tensors[outputs_[i]];
    if (ToVector(tensor->dims) == network_.output_shape(i)) continue;
    IntArray dims = MakeIntArray(network_.output_shape(i));
    if (context->ResizeTensor(context, tensor, dims.release()) != kTfLiteOk) {
      return Status::Error("an output could not be resized");
    }
  }
  return Status();
}

Status Part::Run(TfLiteContext* context) {
  if (outputs_.empty() || !prepared_.ok()) return prepared_;
  std::vector<ConstTensorView> inputs;
  for (size_t i = 0; i < inputs_.size(); ++i) {
    inputs.emplace_back(context->tensors[inputs_[i]].data.raw, network_.input_type(i).element);
  }
  std::vector<TensorView> outputs;
  for (size_t i = 0; i < outputs_.size(); ++i) {
    outputs.emplace_back(context->tensors[outputs_[i]].data.raw, network_.output_type(i).element);
  }
  if (!report_->profiles()) return network_.Run(inputs, outputs);
  std::vector<double> steps;
  const auto start = std::chrono::steady_clock::now();
  const Status status = network_.Run(inputs, outputs, &steps);
  const auto end = std::chrono::steady_clock::now();
  if (status.ok()) report_->Ran(std::chrono::duration<double>(end - start).count(), steps);
  return status;
}

}  // namespace sbnn
