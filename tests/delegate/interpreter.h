// As much of TensorFlow Lite as the delegate needs.
#ifndef SBNN_TESTS_DELEGATE_INTERPRETER_H_
#define SBNN_TESTS_DELEGATE_INTERPRETER_H_

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <vector>

#include "delegate/translation/parameters.h"
#include "tensorflow/lite/builtin_ops.h"
#include "tensorflow/lite/c/common.h"

extern "C" {
TfLiteDelegate* tflite_plugin_create_delegate(const char* const* keys, const char* const* values,
                                              size_t count, void (*report_error)(const char*));
void tflite_plugin_destroy_delegate(TfLiteDelegate* delegate);
}

namespace sbnn {

// The parameters of MEAN as TensorFlow Lite has them.
struct ReducerParams {
  bool keep_dims;
};

struct FreeArray {
  void operator()(TfLiteIntArray* array) const { std::free(array); }
};
using Array = std::unique_ptr<TfLiteIntArray, FreeArray>;

inline Array MakeArray(const std::vector<int>& values) {
  auto* const array = static_cast<TfLiteIntArray*>(
      std::malloc(sizeof(TfLiteIntArray) + values.size() * sizeof(int)));
  array->size = static_cast<int>(values.size());
  std::copy(values.begin(), values.end(), array->data);
  return Array(array);
}

// Enough of an interpreter for one graph that is claimed as a whole: 1x1 convolution, logistic,
// depthwise convolution, mean, fully connected.
class Interpreter {
 public:
  Interpreter() : context_{}, plan_(MakeArray({0, 1, 2, 3, 4})) {
    const int input = Add({1, 6, 6, 8}, false), filter = Add({16, 1, 1, 8}, true);
    const int bias = Add({16}, true), a = Add({1, 6, 6, 16}, false), b = Add({1, 6, 6, 16}, false);
    const int taps = Add({1, 3, 3, 16}, true), c = Add({1, 3, 3, 16}, false);
    const int axes = Add({2}, true), d = Add({1, 16}, false), matrix = Add({5, 16}, true);
    const int logits = Add({1, 5}, false);
    reinterpret_cast<int*>(data_[axes].data())[0] = 1;
    reinterpret_cast<int*>(data_[axes].data())[1] = 2;
    tensors_[axes].type = kTfLiteInt32;
    Node(kTfLiteBuiltinConv2d, {input, filter, bias}, a, &conv_);
    Node(kTfLiteBuiltinLogistic, {a}, b, nullptr);
    Node(kTfLiteBuiltinDepthwiseConv2d, {b, taps, bias}, c, &depthwise_);
    Node(kTfLiteBuiltinMean, {c, axes}, d, &mean_);
    Node(kTfLiteBuiltinFullyConnected, {d, matrix, -1}, logits, &fully_connected_);
    inputs_ = MakeArray({input});
    outputs_ = MakeArray({logits});
    output_ = logits;
    context_.tensors = tensors_.data();
    context_.tensors_size = tensors_.size();
    context_.impl_ = this;
    context_.GetExecutionPlan = [](TfLiteContext* c, TfLiteIntArray** plan) {
      *plan = Of(c)->plan_.get();
      return kTfLiteOk;
    };
    context_.GetNodeAndRegistration = [](TfLiteContext* c, int node, TfLiteNode** n,
                                         TfLiteRegistration** r) {
      *n = &Of(c)->nodes_[node];
      *r = &Of(c)->registrations_[node];
      return kTfLiteOk;
    };
    context_.PreviewDelegatePartitioning = [](TfLiteContext* c, const TfLiteIntArray* nodes,
                                              TfLiteDelegateParams** parts, int* count) {
      Of(c)->SetPart(nodes, nullptr);
      *parts = &Of(c)->part_;
      *count = nodes->size > 0;
      return kTfLiteOk;
    };
    context_.ReplaceNodeSubsetsWithDelegateKernels = [](TfLiteContext* c, TfLiteRegistration r,
                                                        const TfLiteIntArray* nodes,
                                                        TfLiteDelegate* delegate) {
      Of(c)->kernel_ = r;
      Of(c)->SetPart(nodes, delegate);
      Of(c)->kernel_node_.user_data = r.init(c, reinterpret_cast<const char*>(&Of(c)->part_), 0);
      return kTfLiteOk;
    };
    context_.ResizeTensor = [](TfLiteContext*, TfLiteTensor*, TfLiteIntArray* dims) {
      std::free(dims);
      return kTfLiteError;  // the shapes here are right from the start
    };
    context_.ReportError = CountError;
    context_.AcquireSubgraphContext = [](TfLiteContext* c, int number, TfLiteContext** found) {
      *found = number == Of(c)->subgraph_ ? c : &Of(c)->other_;
      return number <= Of(c)->subgraph_ ? kTfLiteOk : kTfLiteError;
    };
    context_.ReleaseSubgraphContext = [](TfLiteContext*, int) { return kTfLiteOk; };
  }

  // The graph is this one of a model's; 0 if nothing is said.
  void set_subgraph(int number) { subgraph_ = number; }
  // The logistic becomes an operator of somebody else's.
  void MakeCustom(const char* name) {
    registrations_[1].builtin_code = kTfLiteBuiltinCustom;
    registrations_[1].custom_name = name;
  }

  // All that TensorFlow Lite does with a delegate, until something fails.
  bool Run(TfLiteDelegate* delegate) {
    bool good = delegate->Prepare(&context_, delegate) == kTfLiteOk;
    if (kernel_.init != nullptr) {
      good = good && kernel_.prepare(&context_, &kernel_node_) == kTfLiteOk;
      good = good && kernel_.invoke(&context_, &kernel_node_) == kTfLiteOk;
      kernel_.free(&context_, kernel_node_.user_data);
    }
    return good;
  }

  int errors() const { return errors_; }
  int claimed() const { return part_nodes_ == nullptr ? 0 : part_nodes_->size; }
  const std::vector<float>& output() const { return data_[output_]; }

 private:
  static void CountError(TfLiteContext* c, const char*, ...) { ++Of(c)->errors_; }
  static Interpreter* Of(TfLiteContext* c) { return static_cast<Interpreter*>(c->impl_); }

  int Add(const std::vector<int>& shape, bool constant) {
    size_t count = 1;
    for (int d : shape) count *= static_cast<size_t>(d);
    data_.emplace_back(count);
    for (size_t i = 0; i < count; ++i) data_.back()[i] = static_cast<float>((i * 7) % 13) - 6;
    dims_.push_back(MakeArray(shape));
    TfLiteTensor tensor{};
    tensor.type = kTfLiteFloat32;
    tensor.dims = dims_.back().get();
    tensor.data.f = data_.back().data();
    tensor.bytes = count * sizeof(float);
    tensor.allocation_type = constant ? kTfLiteMmapRo : kTfLiteArenaRw;
    tensors_.push_back(tensor);
    return static_cast<int>(tensors_.size()) - 1;
  }

  void Node(int code, const std::vector<int>& inputs, int output, void* params) {
    arrays_.push_back(MakeArray(inputs));
    TfLiteNode node{};
    node.inputs = arrays_.back().get();
    arrays_.push_back(MakeArray({output}));
    node.outputs = arrays_.back().get();
    node.builtin_data = params;
    nodes_.push_back(node);
    TfLiteRegistration registration{};
    registration.builtin_code = code;
    registration.version = 1;
    registrations_.push_back(registration);
  }

  void SetPart(const TfLiteIntArray* nodes, TfLiteDelegate* delegate) {
    part_nodes_ = MakeArray(std::vector<int>(nodes->data, nodes->data + nodes->size));
    part_.delegate = delegate;
    part_.nodes_to_replace = part_nodes_.get();
    part_.input_tensors = inputs_.get();
    part_.output_tensors = outputs_.get();
  }

  TfLiteContext context_, other_{};
  int subgraph_ = 0;
  ConvParams conv_{PaddingKind::kSame, 1, 1, FusedActivation::kNone, 1, 1};
  DepthwiseConvParams depthwise_{PaddingKind::kSame, 2, 2, 1, FusedActivation::kRelu6, 1, 1};
  ReducerParams mean_{false};
  FullyConnectedParams fully_connected_{FusedActivation::kNone, 0, false};
  std::vector<std::vector<float>> data_;
  std::vector<Array> dims_, arrays_;
  std::vector<TfLiteTensor> tensors_;
  std::vector<TfLiteNode> nodes_;
  std::vector<TfLiteRegistration> registrations_;
  Array plan_, inputs_, outputs_, part_nodes_;
  TfLiteDelegateParams part_{};
  TfLiteRegistration kernel_{};
  TfLiteNode kernel_node_{};
  int output_ = 0;
  int errors_ = 0;
};

}  // namespace sbnn

#endif  // SBNN_TESTS_DELEGATE_INTERPRETER_H_
