// Operators that hand rows of an image on while they are in the cache.
#ifndef SBNN_DELEGATE_ENGINE_CHAIN_H_
#define SBNN_DELEGATE_ENGINE_CHAIN_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "delegate/engine/op.h"

namespace sbnn {

// One operator after another, each the only reader of the one before, run a band of rows at a time.
// What is between them never exists as a whole: of it only those rows are kept that the next
// operator still needs, in a buffer that stays in the L2 cache. Rows are computed once, except at
// the borders between the strips of an image that threads take. (The idea is known as depth-first
// or layer-fused execution: Alwani et al., "Fused-Layer CNN Accelerators", 2016.)
class Chain : public Op {
 public:
  struct Link {
    RowOp* op;
    Epilogue epilogue;
    Shape input, output;
    ElementType type;      // of both
    std::vector<int> ops;  // as in Network::StepInfo
  };

  // Whether the buffers between these operators fit a cache.
  static bool Fits(const std::vector<Link>& links, uint64_t cache_bytes);

  // At least two links, which fit.
  Chain(std::vector<Link> links, uint64_t cache_bytes)
      : links_(std::move(links)), cache_bytes_(cache_bytes) {}

  const std::vector<Link>& links() const { return links_; }

  Status InferShape(const std::vector<Shape>& inputs, Shape* output) const override;
  bool TakesFlatImages(const Shape& shape) const override {
    return links_.front().op->TakesFlatImages(shape);
  }
  Status Plan(const std::vector<const Tensor*>& inputs, const Tensor& output,
              const PlanContext& context, uint64_t* scratch) override;
  void Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
           const RunContext& context) const override;
  std::vector<Range> Constants() const override;

 private:
  // What a link does for a band: the rows that it computes, and the row that its buffer, or the
  // output, begins with.
  struct LinkRows {
    Rows rows;
    int base = 0;
  };
  using Band = std::vector<LinkRows>;  // by link
  // What the links of a strip hand on.
  struct Buffers {
    std::vector<Tensor> behind;                      // each link but the last
    std::vector<std::vector<const Tensor*>> inputs;  // of each link

    Buffers(const std::vector<Tensor>& planned, const std::vector<const Tensor*>& chain_inputs);
    Buffers(const Buffers&) = delete;
    Buffers& operator=(const Buffers&) = delete;
  };

  static std::vector<Band> Schedule(const std::vector<Link>& links, Rows strip, int band_rows);
  static std::vector<int> MostRows(const std::vector<Link>& links, const std::vector<Band>& bands,
                                   bool held);
  static uint64_t BytesBehind(const Link& link, int rows);
  static uint64_t BufferBytes(const std::vector<Link>& links, int band_rows);
  int BandRows() const;
  static void Hold(Tensor* buffer, char* begin, const LinkRows& before, const LinkRows& now);
  void RunStrip(const std::vector<Band>& strip, int n, const std::vector<const Tensor*>& inputs,
                const Tensor& output, const RunContext& context, void* scratch,
                double* seconds) const;

  const std::vector<Link> links_;
  const uint64_t cache_bytes_;

  // Of the plan.
  std::vector<std::vector<Band>> strips_;
  uint64_t worker_bytes_ = 0;
  std::vector<Tensor> buffers_;         // as in Buffers, without data
  std::vector<uint64_t> buffer_begin_;  // bytes, by link
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_ENGINE_CHAIN_H_
