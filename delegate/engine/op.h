// What every operator of the engine is: a shape rule, a plan for given shapes, a run.
#ifndef SBNN_DELEGATE_ENGINE_OP_H_
#define SBNN_DELEGATE_ENGINE_OP_H_

#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "delegate/engine/ahead.h"
#include "delegate/engine/tensor.h"
#include "delegate/engine/thread_pool.h"
#include "delegate/format/status.h"
#include "delegate/kernels/table.h"

namespace sbnn {

// Rows and columns of zeros around an image.
struct Margin {
  int top = 0, bottom = 0, left = 0, right = 0;

  Margin& operator+=(const Margin& other) {
    top += other.top;
    bottom += other.bottom;
    left += other.left;
    right += other.right;
    return *this;
  }
};

// Rows [first, end) of an image.
struct Rows {
  int first = 0, end = 0;
  int count() const { return end - first; }
};

// What an operator does to its results before it stores them, in place of operators behind it.
struct Epilogue {
  bool add = false;  // first adds the last of its inputs, which has the shape of its output
  float lo = -std::numeric_limits<float>::infinity();  // then limits them to [lo, hi]
  float hi = std::numeric_limits<float>::infinity();
  bool activates = false;  // at last applies a function, in place
  UnaryKind activation = UnaryKind::kLogistic;
  float alpha = 0;  // see UnaryArgs

  bool limits() const { return std::isfinite(lo) || std::isfinite(hi); }

  // Adds what `next` does behind it. False, and no change: that can't be said as one epilogue.
  bool Then(const Epilogue& next);
};

// Whether an operator can compute in a type, and if so, whether it asks for it or takes it where
// others do.
enum class TypeUse { kNever, kIfGiven, kAsksFor };

struct PlanContext {
  const Kernels& kernels;  // of the type that inputs and output hold
  int threads;
  const Epilogue& epilogue;
};

struct RunContext {
  const Kernels& kernels;
  Team& team;
  void* scratch;  // as many bytes as Plan asked for, 64-byte aligned
  Ahead* ahead = nullptr;
  // If given, a chain puts here how long all threads worked on each of its links.
  std::vector<double>* link_seconds = nullptr;

  // The scratch of a worker, where each has so many bytes.
  void* ScratchOf(int worker, uint64_t bytes) const {
    return static_cast<char*>(scratch) + worker * bytes;
  }
  float* float_scratch() const { return static_cast<float*>(scratch); }
};

// How an operator takes to a layout: not at all, or with some pains, or it is what it is made for.
enum class LayoutUse { kCannot, kCan, kPrefers };

class BatchMatMul;
class Binary;
class RowOp;

class Op {
 public:
  virtual ~Op() = default;

  // The output's shape for these inputs, or why they do not fit.
  virtual Status InferShape(const std::vector<Shape>& inputs, Shape* output) const = 0;

  // True of an operator on whole numbers that follow from shapes, such as SHAPE: InferShape does
  // all of its work, and it never runs. Where a tensor holds such numbers, they stand in the place
  // of its shape, for whoever reads it.
  virtual bool OnShapes() const { return false; }

  // Whether images of this shape may arrive in the outside's layout, where panels are the rule.
  virtual bool TakesFlatImages(const Shape&) const { return false; }

  // Whether images that nobody reads but the outside may be written in its layout.
  virtual bool LeavesFlatImages() const { return false; }

  // Whether it changes the shape of its first input, and nothing else.
  virtual bool Reshapes() const { return false; }

  // Whether it can read `input` although a reshape was to come between, or write `output` although
  // one was to follow.
  virtual bool SkipsReshape(const Shape& input, const Shape& output) const {
    (void)input, (void)output;
    return false;
  }

  // Whether it does nothing but add a margin of zeros to images; then, which one.
  virtual bool AsMargin(Margin* margin) const {
    (void)margin;
    return false;
  }

  // Takes over a margin of zeros that an operator before it would have added. False: it can't.
  virtual bool AbsorbMargin(const Margin&) { return false; }

  // Whether it applies this function to each element of its input, and does nothing else.
  virtual bool Applies(UnaryKind) const { return false; }

  // Whether it multiplies its two inputs, and does nothing else.
  virtual bool Multiplies() const { return false; }

  // Whether it multiplies each element of its input by a number, and does nothing else; then, by
  // which.
  virtual bool AsScale(float* factor) const {
    (void)factor;
    return false;
  }

  // Whether it is a softmax over the last dimension; then, with which beta.
  virtual bool AsSoftmax(float* beta) const {
    (void)beta;
    return false;
  }

  // Whether it exchanges dimensions, and does nothing else: dimension d of the output is dimension
  // order[d] of the input. Else null.
  virtual const std::vector<int>* AsTranspose() const { return nullptr; }

  // Itself, if it is one of two inputs; else null.
  virtual const BatchMatMul* AsBatchMatMul() const { return nullptr; }

  // Itself, if it adds two inputs, or a constant to one, and does nothing else; else null.
  virtual const Binary* AsSum() const { return nullptr; }

  // Whether it can do this to its results. If it says so, it may find it in the context of Plan,
  // and the operand of an addition behind its own inputs.
  virtual bool Takes(const Epilogue&) const { return false; }

  // What it does to its inputs of these shapes, if that can be the epilogue of the operator that
  // computes one of them, whichever it is.
  virtual bool AsEpilogue(const std::vector<Shape>& inputs, Epilogue* epilogue) const {
    (void)inputs, (void)epilogue;
    return false;
  }

  // Whether it multiplies the channels of one of two inputs, images of a panel, by the other one's
  // pixel, and does nothing else; then, which one holds the images.
  virtual bool AsGate(const std::vector<Shape>& inputs, size_t* images) const {
    (void)inputs, (void)images;
    return false;
  }

  // Whether it can multiply the channels of its first input, of this shape, by factors for each
  // image and channel, at less cost than a pass over that input. If it says so, it may find them in
  // its second input.
  virtual bool TakesGate(const Shape& input) const {
    (void)input;
    return false;
  }

  // For inputs of these shapes and another type than float32. Where it computes in float16, all of
  // its inputs and its output are of it, and so are the kernels of its contexts. Of int8 it says
  // whether it takes quantized tensors at all: which are some is the graph's matter.
  virtual TypeUse UseOf(ElementType type, const std::vector<Shape>& inputs) const {
    (void)type, (void)inputs;
    return TypeUse::kNever;
  }

  // Of images in int8: the layouts that it reads, in each of its inputs that is one, and writes.
  // (Images of floats are panels, and what is no image is flat.)
  virtual LayoutUse Reads(Layout layout, const std::vector<Shape>& inputs) const {
    (void)inputs;
    return layout == Layout::kPanel ? LayoutUse::kCan : LayoutUse::kCannot;
  }
  virtual LayoutUse Writes(Layout layout, const std::vector<Shape>& inputs) const {
    return Reads(layout, inputs);
  }
  // Whether it writes the layout that it reads, whichever that is.
  virtual bool KeepsLayout(const std::vector<Shape>& inputs) const {
    (void)inputs;
    return false;
  }

  // True of the operator between the two types: its output has the layout of its input.
  virtual bool Converts() const { return false; }

  // Whether the output may lie where this input lies, which nobody else needs any more.
  virtual bool MayOverwrite(const Tensor& input, const Tensor& output, int threads) const {
    (void)input, (void)output, (void)threads;
    return false;
  }

  // Called when shapes are known and before Run; everything that depends on shapes only is done
  // here. `scratch` receives the bytes of work space that Run needs: so many that they do not fit
  // an address are no mistake of the operator's.
  virtual Status Plan(const std::vector<const Tensor*>& inputs, const Tensor& output,
                      const PlanContext& context, uint64_t* scratch) {
    (void)inputs, (void)output, (void)context, (void)scratch;
    return Status();
  }

  // What a user may want to know of the plan; mostly nothing.
  virtual std::string Remark() const { return ""; }

  virtual void Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
                   const RunContext& context) const = 0;

  // Itself, if it can compute its output, a panel, some rows at a time from inputs of these shapes;
  // else null.
  virtual RowOp* AsRowOp(const std::vector<Shape>& inputs) {
    (void)inputs;
    return nullptr;
  }

  // What it reads besides its inputs, in the order of reading, if that is much.
  virtual std::vector<Range> Constants() const { return {}; }
};

// An operator that can be a link of a chain: from inputs of which just the rows that it reads are
// there, it computes rows of its output. Then there are PlanRows and RunRows in place of Plan and
// Run.
class RowOp : public Op {
 public:
  // The rows of its first input, of this shape, that these rows of the output need; without
  // padding.
  virtual Rows RowsRead(const Shape& input, Rows output) const = 0;

  // `most_rows`: the most that will be asked for at a time.
  virtual Status PlanRows(const std::vector<const Tensor*>& inputs, const Tensor& output,
                          const PlanContext& context, int most_rows, uint64_t* scratch) = 0;

  // Rows of the output of image `n`, on this thread. Less than a vector behind them may be spoilt.
  virtual void RunRows(const std::vector<const Tensor*>& inputs, const Tensor& output, int n,
                       Rows rows, const RunContext& context) const = 0;
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_OP_H_
