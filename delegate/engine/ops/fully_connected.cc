#include "delegate/engine/ops/fully_connected.h"

#include <algorithm>
#include <string>

#include "delegate/engine/layout.h"

namespace sbnn {
namespace {

// Of results that are brought into another layout together: they are to stay in the L1 cache.
constexpr size_t kBlockElements = 6144;

}  // namespace

Status InferRows(const Shape& input, int inputs, int outputs, bool keep_dims, Shape* output) {
  const size_t count = ElementCount(input), depth = static_cast<size_t>(inputs);
  if (count % depth != 0 || (keep_dims && input.back() != inputs)) {
    return Status::Error("a layer of " + std::to_string(depth) + " inputs meets " +
                         std::to_string(count) + " values");
  }
  if (keep_dims) {
    *output = input;
    output->back() = outputs;
  } else {
    *output = {static_cast<int>(count / depth), outputs};
  }
  return Status();
}

Status FullyConnected::InferShape(const std::vector<Shape>& inputs, Shape* output) const {
  return InferRows(inputs[0], weights_->inputs, weights_->outputs, keep_dims_, output);
}

TypeUse FullyConnected::UseOf(ElementType type, const std::vector<Shape>& inputs) const {
  Shape output;
  const bool flat = InferShape(inputs, &output).ok() && LayoutOf(inputs[0]) == Layout::kFlat &&
                    LayoutOf(output) == Layout::kFlat;
  return IsFloat(type) && flat ? TypeUse::kAsksFor : TypeUse::kNever;
}

size_t FullyConnected::Rows(const Tensor& input) const {
  return ElementCount(input.shape) / static_cast<size_t>(weights_->inputs);
}

Status FullyConnected::Plan(const std::vector<const Tensor*>& inputs, const Tensor& output,
                            const PlanContext& context, uint64_t* scratch) {
  const Tensor& input = *inputs[0];
  const ElementType type = context.kernels.type;
  values_.Plan(weights_->values.data(), weights_->values.size(), type);
  bias_.Plan(weights_->bias.data(), weights_->bias.size(), type);
  const size_t rows = Rows(input);
  as_pixels_ = weights_->unstructured() || rows >= kLeastRows;
  const bool images = input.layout == Layout::kPanel;
  x_is_input_ = as_pixels_ && images && input.images().c == weights_->inputs;
  y_is_output_ = x_is_input_ && output.layout == Layout::kPanel;

  uint64_t next = kVectorBytes;  // a kernel may read before a plane
  const auto take = [&](uint64_t bytes) {
    const uint64_t at = next;
    next += RoundUp(bytes + 2 * kVectorBytes, kVectorBytes);
    return at;
  };
  if (images && !x_is_input_) flat_input_at_ = take(ElementCount(input.shape) * BytesOf(type));
  if (output.layout == Layout::kPanel && !y_is_output_) {
    flat_output_at_ = take(ElementCount(output.shape) * BytesOf(type));
  }
  *scratch = next;
  if (!as_pixels_) {
    vector_grid_ = MakeVectorGrid(*weights_, context.threads);
    return Status();
  }

  const size_t pixels = x_is_input_ ? input.images().pixels() : rows;
  grid_ = MakeGrid(*weights_, pixels, context.kernels, context.threads);
  block_stride_ = 0;
  for (const Tile& tile : grid_.tiles) block_stride_ = std::max<size_t>(block_stride_, tile.width);
  x_ = input;
  if (!x_is_input_) {
    const size_t together = context.threads > 1 ? pixels : std::min(pixels, block_stride_);
    x_ = Tensor({1, static_cast<int>(together), 1, weights_->inputs}, Layout::kPanel, type);
    x_at_ = take(x_.allocation());
  }
  const size_t outputs = kBlockElements / block_stride_;
  block_groups_ = std::clamp<int>(static_cast<int>(outputs) / weights_->group, 1,
                                  std::max(1, weights_->groups()));
  if (!y_is_output_) {
    const uint64_t results = uint64_t{block_stride_} * block_groups_ * weights_->group;
    block_bytes_ = RoundUp(results * BytesOf(type) + 2 * kVectorBytes, kVectorBytes);
    blocks_at_ = take(block_bytes_ * context.threads);
  }
  *scratch = next;
  return PlanOffsets(*weights_, x_.plane_stride, {0}, type, 1, &offset_bytes_);
}

void FullyConnected::Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
                         const RunContext& context) const {
  const Tensor& input = *inputs[0];
  const void* x = input.data;
  if (input.layout == Layout::kPanel && !x_is_input_) {
    void* const flat = context.ScratchOf(1, flat_input_at_);
    ToFlat(input, flat, context.kernels, context.team);
    x = flat;
  }
  const bool copies_output = output.layout == Layout::kPanel && !y_is_output_;
  void* const y = copies_output ? context.ScratchOf(1, flat_output_at_) : output.data;
  if (as_pixels_) {
    Tensor panel = x_;
    panel.data = x_is_input_ ? input.data : context.ScratchOf(1, x_at_);
    RunPixels(panel, x, y, output, context);
  } else {
    RunVectors(x, y, Rows(input), context);
  }
  if (copies_output) FromFlat(y, output, context.kernels, context.team);
}

void FullyConnected::RunVectors(const void* x, void* y, size_t rows,
                                const RunContext& context) const {
  const ElementType type = context.kernels.type;
  for (size_t r = 0; r < rows; ++r) {
    RunSpmv(*weights_, vector_grid_, values_, bias_, Advance(x, r * weights_->inputs, type),
            Advance(y, r * weights_->outputs, type), lo_, hi_, context);
  }
}

// `x` has room for all pixels, or for those of a tile: then one tile after the other is brought
// there, so that it stays in a cache. `flat`: where they come from.
void FullyConnected::RunPixels(const Tensor& x, const void* flat, void* y, const Tensor& output,
                               const RunContext& context) const {
  const ElementType type = context.kernels.type;
  char* const blocks_at = static_cast<char*>(context.ScratchOf(1, blocks_at_));
  const int tiles = static_cast<int>(grid_.tiles.size());
  const size_t rows = ElementCount(output.shape) / static_cast<size_t>(weights_->outputs);
  if (x_is_input_ || x.images().pixels() == rows) {
    if (!x_is_input_) FromFlat(flat, x, context.kernels, context.team);
    const int tasks = tiles * blocks();
    context.team.Run(x.images().n * tasks, [&](int task, int worker) {
      RunBlock(x, 0, task / tasks, task % tasks / blocks(), task % blocks(), y, output,
               blocks_at + worker * block_bytes_, context);
    });
    return;
  }
  for (int t = 0; t < tiles; ++t) {
    const size_t first = grid_.tiles[t].first;
    const size_t count = std::min<size_t>(grid_.tiles[t].width, rows - first);
    context.kernels.transpose({Advance(flat, first * weights_->inputs, type),
                               static_cast<size_t>(weights_->inputs), x.At(0, 0), x.plane_stride,
                               count, static_cast<size_t>(weights_->inputs)});
    for (int b = 0; b < blocks(); ++b) RunBlock(x, first, 0, t, b, y, output, blocks_at, context);
  }
}

// Groups of weights times a tile. `x` begins `behind` pixels behind the image's first.
void FullyConnected::RunBlock(const Tensor& x, size_t behind, int n, int tile, int block, void* y,
                              const Tensor& output, void* scratch,
                              const RunContext& context) const {
  const ElementType type = context.kernels.type;
  const Tile& pixels = grid_.tiles[tile];
  const int first_group = block * block_groups_;
  const int end_group = std::min(weights_->groups(), first_group + block_groups_);
  const ptrdiff_t first_output = static_cast<ptrdiff_t>(first_group) * weights_->group;
  SpmmArgs args = {};
  args.x = x.At(n, 0, pixels.first - behind);
  args.group_begin = weights_->group_begin.data();
  args.offset_bytes = offset_bytes_.data();
  args.weights = values_.From(0);
  args.bias = bias_.From(0);
  args.first_group = static_cast<uint32_t>(first_group);
  args.end_group = static_cast<uint32_t>(end_group);
  args.lo = lo_;
  args.hi = hi_;
  if (y_is_output_) {
    args.y = output.At(n, 0, pixels.first);
    args.y_stride = output.plane_stride;
    return RunSpmm(*weights_, grid_, pixels, args, context.kernels);
  }
  args.y_stride = block_stride_;
  // (Kernels count from output 0.)
  args.y = Advance(scratch, -first_output * static_cast<ptrdiff_t>(block_stride_), type);
  RunSpmm(*weights_, grid_, pixels, args, context.kernels);
  const size_t outputs = weights_->outputs;
  const size_t of_image = x_is_input_ ? x.images().pixels() : ElementCount(output.shape) / outputs;
  const size_t count = std::min<size_t>(pixels.width, of_image - pixels.first);
  const size_t results = std::min<size_t>((end_group - first_group) * weights_->group,
                                          outputs - static_cast<size_t>(first_output));
  context.kernels.transpose(
      {scratch, block_stride_,
       Advance(y, (n * of_image + pixels.first) * outputs + first_output, type), outputs, results,
       count});
}

}  // namespace sbnn
