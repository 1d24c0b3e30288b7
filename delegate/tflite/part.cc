#include "delegate/tflite/part.h"

#include <algorithm>
#include <string>
#include <utility>

#include "delegate/translation/int_array.h"

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
    : runner_(options) {
  status_ = Build(params, constants, subgraph, number, translations);
  if (any_size) placeholders_ = InputShapes(*context);
}

std::vector<Shape> Part::InputShapes(const TfLiteContext& context) const {
  std::vector<Shape> shapes;
  for (int t : inputs_) shapes.push_back(ToVector(context.tensors[t].dims));
  return shapes;
}

bool Part::Reads(int tensor) const { return Has(inputs_, tensor); }
bool Part::Writes(int tensor) const { return Has(outputs_, tensor); }

Status Part::Build(const TfLiteDelegateParams& params, const Constants& constants, int subgraph,
                   int number, Translations* translations) {
  const std::vector<int> nodes = ToVector(params.nodes_to_replace);
  for (int node : nodes) {
    if (constants.Unpacks(node)) continue;
    const auto found = translations->find(node);
    if (found == translations->end()) {
      return Status::Error("node " + std::to_string(node) + " was not claimed");
    }
    runner_.Add(&found->second);
  }
  inputs_ = runner_.Inputs();
  for (int t : ToVector(params.output_tensors)) {
    if (runner_.Writes(t)) outputs_.push_back(t);
  }
  runner_.Finish(inputs_, outputs_, subgraph, number, nodes);
  return Status();
}

Status Part::Prepare(TfLiteContext* context) {
  if (!status_.ok()) return status_;
  if (outputs_.empty()) return Status();  // only unpacks constants for other parts
  const std::vector<Shape> shapes = InputShapes(*context);
  prepared_ = runner_.Prepare(shapes);
  if (shapes == placeholders_) {
    // Before the user says how large the inputs are, they may be too small for the network, which
    // is an error only if it runs; nor would others make anything of images without pixels.
    for (size_t i = 0; i < outputs_.size() && prepared_.ok(); ++i) {
      if (IsEmptyImage(runner_.network().output_shape(i)))
        prepared_ = Status::Error("no pixels are left");
    }
    if (!prepared_.ok()) {
      prepared_ = Status::Error("the model takes any size, but not this one, " + ToString(shapes) +
                                " (was it resized?): " + prepared_.message());
      return Status();
    }
  }
  if (!prepared_.ok()) return prepared_;
  runner_.ReportPlan(shapes);
  for (size_t i = 0; i < outputs_.size(); ++i) {
    TfLiteTensor* const tensor = &context->tensors[outputs_[i]];
    if (ToVector(tensor->dims) == runner_.network().output_shape(i)) continue;
    IntArray dims = MakeIntArray(runner_.network().output_shape(i));
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
    inputs.emplace_back(context->tensors[inputs_[i]].data.raw,
                        runner_.network().input_type(i).element);
  }
  std::vector<TensorView> outputs;
  for (size_t i = 0; i < outputs_.size(); ++i) {
    outputs.emplace_back(context->tensors[outputs_[i]].data.raw,
                         runner_.network().output_type(i).element);
  }
  return runner_.Run(inputs, outputs);
}

}  // namespace sbnn
