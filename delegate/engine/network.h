// A graph of operators that runs as one: shapes, layouts, memory, threads.
#ifndef SBNN_DELEGATE_ENGINE_NETWORK_H_
#define SBNN_DELEGATE_ENGINE_NETWORK_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "delegate/engine/graph.h"
#include "delegate/engine/op.h"
#include "delegate/engine/placement.h"
#include "delegate/engine/program.h"
#include "delegate/engine/view.h"
#include "delegate/format/locks.h"

namespace sbnn {

class Network {
 public:
  // Tensors are numbered by the caller, from 0. Operators are added in an order in which they can
  // run. The label is for reports.
  void AddOp(std::unique_ptr<Op> op, std::vector<int> inputs, int output, std::string label = "");
  void SetInputs(std::vector<int> tensors) { graph_.inputs = std::move(tensors); }
  void SetOutputs(std::vector<int> tensors) { graph_.outputs = std::move(tensors); }

  // What a tensor holds where it is not float32. Of a uint8 tensor, operators see int8: Inside().
  void SetType(int tensor, const TensorType& type) { graph_.types[tensor] = type; }

  // Plans for these shapes of the inputs. May be called again with others. Any tensor may be empty.
  // With `allow_fp16`, operators that can compute in float16 do, where this CPU has kernels of it.
  Status Prepare(const std::vector<Shape>& input_shapes, const Kernels& kernels, int threads,
                 bool allow_fp16 = false);
  const Shape& output_shape(size_t i) const { return output_shapes_[i]; }
  TensorType input_type(size_t i) const { return graph_.TypeOf(graph_.inputs[i]); }
  TensorType output_type(size_t i) const { return graph_.TypeOf(graph_.outputs[i]); }

  // The cache that a core has for itself: tensors that do not fit it are handed on a few rows at a
  // time, where that is possible. To be set before Prepare.
  void set_cache_bytes(uint64_t bytes) { cache_bytes_ = bytes; }

  // Runs on data in the outside's layout, with the shapes of the last Prepare. Fails where that
  // did, or data is of another type. `seconds`, if given, receives the time of each step. Any
  // threads may call: they take turns, since the activations have one place. (Who wants to run at
  // once makes a network a thread; they share weights.)
  Status Run(const std::vector<ConstTensorView>& inputs, const std::vector<TensorView>& outputs,
             std::vector<double>* seconds = nullptr);

  // A step of the last Prepare: an operator, and those around it that it does as well.
  struct StepInfo {
    std::vector<int> ops;  // by the order of AddOp, from 0; none: a conversion between types
    std::string label;     // theirs
    bool fp16 = false;     // computes in float16
    std::string remark;    // what it says of its plan
  };
  std::vector<StepInfo> Steps() const;
  uint64_t arena_bytes() const { return placement_.arena_bytes(); }

 private:
  Status CheckViews(const std::vector<ConstTensorView>& inputs,
                    const std::vector<TensorView>& outputs) const;

  static constexpr uint64_t kCacheBytes = 960 << 10;  // of an L2 cache of 1 MB

  Mutex mutex_;  // held while anything below is changed
  Graph graph_;
  std::vector<std::string> labels_;  // by the order of AddOp
  bool rewritten_ = false;           // by what depends on the graph alone
  uint64_t cache_bytes_ = kCacheBytes;

  // Of the last Prepare.
  const Kernels* kernels_ = nullptr;
  int threads_ = 1;
  std::vector<Shape> output_shapes_;
  std::unique_ptr<Op> convert_, relayout_;
  bool prepared_ = false;
  Program program_;
  Placement placement_;
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_NETWORK_H_
