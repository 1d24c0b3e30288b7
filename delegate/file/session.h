// One graph of a file, run whole by the engine: there is no TensorFlow Lite to leave a node to.
#ifndef SBNN_DELEGATE_FILE_SESSION_H_
#define SBNN_DELEGATE_FILE_SESSION_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "delegate/file/model.h"
#include "delegate/translation/options.h"
#include "delegate/translation/runner.h"

namespace sbnn {

class Session {
 public:
  // Fails where the engine can't run the graph, with the nodes that it can't, and why. The session
  // keeps what it needs of the model: that may go.
  static Status Make(Model* model, int subgraph, const Options& options,
                     std::unique_ptr<Session>* session);

  // Plans for these shapes of the graph's inputs, in their order. May be called again with others.
  Status Prepare(const std::vector<Shape>& input_shapes);
  // Of the graph's outputs, after Prepare.
  const Shape& output_shape(size_t i) const { return runner_.network().output_shape(i); }
  ElementType output_type(size_t i) const { return runner_.network().output_type(i).element; }

  // Inputs and outputs in the order of the graph's, and of its types. With the option `profile` it
  // is measured.
  Status Run(const std::vector<ConstTensorView>& inputs, const std::vector<TensorView>& outputs);

  uint64_t activation_bytes() const { return runner_.network().arena_bytes(); }

  // Of all runs, if one was asked for.
  void SendProfile() const { runner_.SendProfile(); }

 private:
  explicit Session(const Options& options) : options_(options), runner_(options) {}
  Status Build(Subgraph* graph, int number);

  const Options options_;
  Runner runner_;
  // Which of the graph's inputs each of the network's is; those that are none are empty constants.
  std::vector<std::optional<size_t>> inputs_;
  std::vector<Shape> constant_shapes_;
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_FILE_SESSION_H_
