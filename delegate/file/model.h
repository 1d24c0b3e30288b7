// A `.tflite` file in memory as the structs that TensorFlow Lite gives a delegate, without
// TensorFlow Lite: what translates nodes there translates these.
#ifndef SBNN_DELEGATE_FILE_MODEL_H_
#define SBNN_DELEGATE_FILE_MODEL_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "delegate/format/status.h"
#include "delegate/translation/int_array.h"
#include "tensorflow/lite/c/common.h"

namespace sbnn {

// One graph of a file. Tensors and nodes are numbered as there, and of a checked file: every tensor
// that is named exists, constants have the bytes that their shapes ask for, nodes stand in an order
// in which they can run.
class Subgraph {
 public:
  const std::string& name() const { return name_; }
  // Numbers of tensors.
  const std::vector<int>& inputs() const { return inputs_; }
  const std::vector<int>& outputs() const { return outputs_; }
  int node_count() const { return static_cast<int>(nodes_.size()); }

  // As a delegate gets it, while the model lives: tensors, and GetNodeAndRegistration and
  // GetExecutionPlan; nothing else.
  TfLiteContext* context() { return &context_; }
  const TfLiteTensor& tensor(int i) const { return tensors_[i]; }
  const TfLiteNode& node(int i) const { return nodes_[i]; }
  const TfLiteRegistration& registration(int i) const { return registrations_[i]; }

 private:
  friend class ModelReader;

  TfLiteContext context_ = {};
  std::string name_;
  std::vector<int> inputs_, outputs_;
  std::vector<TfLiteTensor> tensors_;
  std::vector<TfLiteNode> nodes_;
  std::vector<TfLiteRegistration> registrations_;
  IntArray plan_;
};

// What a signature calls a graph's inputs and outputs.
struct Signature {
  struct Name {
    std::string name;
    int tensor;
  };
  std::string key;
  int subgraph = 0;
  std::vector<Name> inputs, outputs;
};

class Model {
 public:
  // The bytes must stay where they are as long as the model does: constants are read there. They
  // are not trusted: whatever is wrong with them is an error.
  static Status Read(const uint8_t* data, size_t size, std::unique_ptr<Model>* model);

  int subgraph_count() const { return static_cast<int>(subgraphs_.size()); }
  Subgraph& subgraph(int i) { return *subgraphs_[i]; }
  const std::vector<Signature>& signatures() const { return signatures_; }

 private:
  friend class ModelReader;

  std::vector<std::unique_ptr<Subgraph>> subgraphs_;
  std::vector<Signature> signatures_;
  // What the structs point at.
  std::vector<IntArray> arrays_;
  std::vector<std::shared_ptr<void>> kept_;
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_FILE_MODEL_H_
