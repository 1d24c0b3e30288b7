// A graph of operators that runs as one: shapes, layouts, memory, threads.
#ifndef SBNN_DELEGATE_ENGINE_NETWORK_H_
#define SBNN_DELEGATE_ENGINE_NETWORK_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "delegate/engine/chain.h"
#include "delegate/engine/memory.h"
#include "delegate/engine/op.h"

namespace sbnn {

class Network {
 public:
  // Tensors are numbered by the caller, from 0. Operators are added in an order in which they can
  // run. The label is for reports.
  void AddOp(std::unique_ptr<Op> op, std::vector<int> inputs, int output, std::string label = "");
  void SetInputs(std::vector<int> tensors) { inputs_ = std::move(tensors); }
  void SetOutputs(std::vector<int> tensors) { outputs_ = std::move(tensors); }

  // Plans for these shapes of the inputs. May be called again with others. Images may be none: then
  // the outputs are empty. With `halves`, kernels of halves, operators that can compute in halves
  // do.
  Status Prepare(const std::vector<Shape>& input_shapes, const Kernels& kernels, int threads,
                 const Kernels* halves = nullptr);
  const Shape& output_shape(size_t i) const { return shapes_[outputs_[i]]; }

  // The cache that a core has for itself: tensors that do not fit it are handed on a few rows at a
  // time, where that is possible. To be set before Prepare.
  void set_cache_bytes(uint64_t bytes) { cache_bytes_ = bytes; }

  // Runs on data in the outside's layout, with the shapes of the last Prepare. `seconds`, if given,
  // receives the time of each step.
  void Run(const std::vector<const float*>& inputs, const std::vector<float*>& outputs,
           std::vector<double>* seconds = nullptr);

  // A step of the last Prepare: an operator, and those around it that it does as well.
  // (A PAD that another operator took over is not named.)
  struct StepInfo {
    std::vector<int> ops;  // by the order of AddOp, from 0; none: a conversion between types
    std::string label;     // theirs
    bool fp16 = false;     // computes in halves
    std::string remark;    // what it says of its plan
  };
  std::vector<StepInfo> Steps() const;
  std::vector<std::string> labels() const;
  uint64_t arena_bytes() const { return arena_bytes_; }

 private:
  static constexpr uint64_t kCacheBytes = 960 << 10;  // of an L2 cache of 1 MB

  struct Node {
    std::unique_ptr<Op> op;
    std::vector<int> inputs;
    int output;
    std::vector<int> ops;  // as in StepInfo
  };
  // A node as it is run for given shapes, together with those that became its epilogue.
  struct Step {
    Op* op;
    std::vector<int> inputs;
    int output;
    std::vector<int> ops;
    Epilogue epilogue = {};
    const Kernels* kernels = nullptr;
    uint64_t scratch = 0;         // floats
    uint64_t scratch_offset = 0;  // in the arena
    std::vector<const Tensor*> input_tensors = {};
    std::shared_ptr<Chain> chain = nullptr;  // `op`, where it is one
  };

  bool IsEmpty(int tensor) const;
  void AbsorbMargins();
  void MakeSwishes();
  std::ptrdiff_t Uses(int tensor) const;      // by nodes
  std::ptrdiff_t StepUses(int tensor) const;  // by steps, their epilogues included
  bool IsOutput(int tensor) const;
  void MakeSteps();
  bool FuseInto(size_t reader, size_t maker, const Epilogue& epilogue);
  void FoldGates();
  void ChooseTypes(const Kernels* halves);
  bool HandsOnRows(const Step& maker, const Step& reader) const;
  void MakeChains();
  Layout InputLayout(int tensor, const Shape& shape) const;
  Status InferShapes(const std::vector<Shape>& input_shapes);
  std::vector<int> ShareBuffers(std::vector<int>* last_use) const;
  Status PlaceTensors();
  void PlanAhead(const std::vector<Lifetime>& lifetimes);

  std::vector<Node> nodes_;
  std::vector<std::string> labels_;  // by the order of AddOp
  std::vector<int> inputs_, outputs_;
  int tensor_count_ = 0;
  uint64_t cache_bytes_ = kCacheBytes;
  bool rewritten_ = false;  // by what depends on the graph alone

  std::vector<Shape> shapes_;
  bool empty_ = false;  // no output has an element: nothing is planned or run
  std::vector<Step> steps_;
  std::vector<int> results_;        // tensors of floats: the outputs, or what is made of them
  std::vector<int> element_bytes_;  // of each tensor
  std::unique_ptr<Op> convert_;
  std::vector<Tensor> tensors_;
  Ahead ahead_;
  FloatBuffer arena_;
  uint64_t arena_bytes_ = 0;
  const Kernels* kernels_ = nullptr;
  int threads_ = 1;
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_NETWORK_H_
