#include "delegate/engine/ops/convolution.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

namespace sbnn {
namespace {

// Of results that an activation follows: a quarter of a small L1 cache.
constexpr size_t kActivatedFloats = 2048;

// Columns of weights that a task multiplies by a gate.
constexpr size_t kGatedColumns = 4096;

}  // namespace

Convolution::Convolution(std::shared_ptr<const PackedWeights> weights, const Window& window,
                         float lo, float hi, int groups)
    : weights_(std::move(weights)), window_(window), limits_{false, lo, hi}, groups_(groups) {}

Status Convolution::InferShape(const std::vector<Shape>& inputs, Shape* output) const {
  if (inputs[0].size() != 4) return Status::Error("a convolution reads 4 dimensions");
  const Images image = AsImages(inputs[0]);
  if (image.c != weights_->inputs * groups_) {
    return Status::Error("a filter of " + std::to_string(weights_->inputs) +
                         " input channels and " + std::to_string(groups_) + " group(s) meets " +
                         std::to_string(image.c));
  }
  PlacedWindow placed;
  const Status status = Place(window_, image, &placed);
  if (!status.ok()) return status;
  *output = {image.n, placed.out_h, placed.out_w, weights_->outputs};
  return Status();
}

bool Convolution::Pointwise(const Images& image) const {
  const Margin& m = window_.margin;
  const bool one_tap = window_.kernel_h == 1 && window_.kernel_w == 1;
  const bool no_step =
      (window_.stride_h == 1 || image.h == 1) && (window_.stride_w == 1 || image.w == 1);
  const bool no_margin = m.top == 0 && m.bottom == 0 && m.left == 0 && m.right == 0;
  // (Groups are known to the offsets, which spmv does without.)
  return one_tap && no_step && no_margin && (groups_ == 1 || image.pixels() > 1);
}

// (Unstructured weights times one pixel are the narrowest tile.)
bool Convolution::IsVector(const Images& image) const {
  return image.pixels() == 1 && !weights_->unstructured();
}

// Few channels: the padded copy gathers them from the outside's layout at no extra cost. (A single
// channel is contiguous there, but a vector may not be read past the caller's buffer.)
bool Convolution::TakesFlatImages(const Shape& shape) const {
  const Images image = AsImages(shape);
  return image.c > 1 && image.c <= 4 && !Pointwise(image);
}

bool Convolution::AbsorbMargin(const Margin& margin) {
  window_.margin += margin;
  return true;
}

// Of each image, the gate multiplies the weights: these should be fewer than its elements. (The
// values of unstructured weights are not laid out by columns.)
bool Convolution::TakesGate(const Shape& shape) const {
  const Images image = AsImages(shape);
  return Pointwise(image) && groups_ == 1 && !weights_->unstructured() &&
         weights_->values.size() <= image.pixels() * image.c;
}

void Convolution::PlanConstants(const PlanContext& context) {
  epilogue_ = limits_;
  epilogue_.Then(context.epilogue);
  const ElementType type = context.kernels.type;
  values_.Plan(weights_->values.data(), weights_->values.size(), type);
  bias_.Plan(weights_->bias.data(), weights_->bias.size(), type);
}

Status Convolution::Plan(const std::vector<const Tensor*>& inputs, const Tensor& output,
                         const PlanContext& context, uint64_t* scratch) {
  PlanConstants(context);
  const Tensor& input = *inputs[0];
  const Images in = input.images(), out = output.images();
  const ElementType type = context.kernels.type;
  gated_ = inputs.size() > 1u + epilogue_.add;
  panels_begin_ = gated_ ? RoundUp(weights_->values.size() * BytesOf(type), kVectorBytes) : 0;
  *scratch = panels_begin_;
  if (Pointwise(in)) {
    if (IsVector(in)) {
      vector_grid_ = MakeVectorGrid(*weights_, context.threads);
      return Status();
    }
    grid_ = MakeGrid(*weights_, in.pixels(), context.kernels, context.threads);
    PlanPanel({grid_}, input, context.kernels);
    *scratch += panel_.bytes() * context.threads;
    return PlanOffsets(*weights_, panel_.channel_stride(), {0}, type, groups_, &offset_bytes_);
  }

  panel_ = TilePanel();
  PlacedWindow placed;
  Status status = Place(window_, in, &placed);
  if (!status.ok()) return status;
  lowered_.Plan(window_, placed, in, input.layout == Layout::kFlat, context.kernels,
                context.threads);
  status = PlanOffsets(*weights_, lowered_.channel_stride(), lowered_.tap_offset(), type, groups_,
                       &offset_bytes_);
  if (!status.ok()) return status;
  const int bands = lowered_.bands(), rows = lowered_.stretch_rows();
  // One output pixel: a group's vectors lie over the next groups' and are written before these.
  const bool together = bands == 1 && output.layout == Layout::kPanel;
  const int stretches = lowered_.band_rows() / rows;
  const int threads = together ? (context.threads + stretches - 1) / stretches : 1;
  const auto grid = [&](int grid_rows) {
    return MakeGrid(*weights_, static_cast<size_t>(grid_rows) * out.w, context.kernels, threads);
  };
  grid_ = grid(rows);
  last_grid_ = grid(std::min(rows, out.h - (bands - 1) * lowered_.band_rows()));
  // A band a worker, or one band for all of them.
  *scratch = lowered_.bytes() * (bands == 1 ? 1 : context.threads);
  return Status();
}

// (Unstructured weights take wide tiles, and groups read few channels each.)
void Convolution::PlanPanel(const std::vector<TaskGrid>& grids, const Tensor& input,
                            const Kernels& kernels) {
  uint32_t width = 0;
  for (const TaskGrid& grid : grids) {
    for (const Tile& tile : grid.tiles) width = std::max(width, tile.width);
  }
  const bool suits = groups_ == 1 && !weights_->unstructured();
  panel_.Plan(width, suits ? input.images().c : 0, input.plane_stride, kernels);
}

SpmmArgs Convolution::Args(const void* values, const void* x, void* y, size_t y_stride) const {
  return {x,
          y,
          y_stride,
          weights_->group_begin.data(),
          offset_bytes_.data(),
          values,
          bias_.From(0),
          0,
          static_cast<uint32_t>(weights_->groups()),
          epilogue_.lo,
          epilogue_.hi,
          nullptr,
          nullptr,
          nullptr,
          0};
}

void Convolution::Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
                      const RunContext& context) const {
  const Tensor& input = *inputs[0];
  const Tensor* const add = epilogue_.add ? inputs.back() : nullptr;
  const Images in = input.images();
  if (!Pointwise(in)) {
    RunBands(input, add, output, context);
  } else if (IsVector(in)) {
    for (int n = 0; n < in.n; ++n) {
      void* const y = output.From(static_cast<size_t>(n) * weights_->outputs);
      RunSpmv(*weights_, vector_grid_, values_, bias_, input.From(static_cast<size_t>(n) * in.c), y,
              epilogue_.lo, epilogue_.hi, context);
      if (!epilogue_.activates) continue;
      const size_t count = weights_->outputs;
      context.kernels.unary(epilogue_.activation, {y, y, count, 1, count, epilogue_.alpha});
    }
  } else if (gated_) {
    RunGated(input, *inputs[1], add, output, context);
  } else {
    RunPointwise(input, add, output, context);
  }
}

void Convolution::RunPointwise(const Tensor& input, const Tensor* add, const Tensor& output,
                               const RunContext& context) const {
  // (Behind the outputs of a pixel the next image may begin, which is written later.)
  const int images = input.images().n, together = output.layout == Layout::kFlat ? 1 : images;
  for (int first = 0; first < images; first += together) {
    context.team.Run(together * grid_.tasks(), [&](int task, int worker) {
      const int n = first + task / grid_.tasks();
      RunTask(grid_, task % grid_.tasks(), values_.From(0), input.At(n, 0), add, output, n, 0,
              PanelOf(worker, context), context);
    });
  }
}

void Convolution::RunGated(const Tensor& input, const Tensor& gate, const Tensor* add,
                           const Tensor& output, const RunContext& context) const {
  const PackedWeights& w = *weights_;
  const ElementType type = context.kernels.type;
  void* const scaled = context.scratch;
  for (int n = 0; n < input.images().n; ++n) {
    const size_t columns = w.columns.size();
    context.team.Run(static_cast<int>((columns + kGatedColumns - 1) / kGatedColumns),
                     [&](int task, int) {
                       const size_t first = task * kGatedColumns;
                       context.kernels.scale_columns(
                           {values_.From(first * w.group), &w.columns[first], gate.At(n, 0),
                            Advance(scaled, static_cast<ptrdiff_t>(first * w.group), type),
                            std::min(kGatedColumns, columns - first), w.group});
                     });
    context.team.Run(grid_.tasks(), [&](int task, int worker) {
      RunTask(grid_, task, scaled, input.At(n, 0), add, output, n, 0, PanelOf(worker, context),
              context);
    });
  }
}

void* Convolution::PanelOf(int worker, const RunContext& context) const {
  return static_cast<char*>(context.scratch) + panels_begin_ + worker * panel_.bytes();
}

// A task of a grid whose first pixel reads from `x` and is `pixel` of the output. `panel`: memory
// for a copy of its tile, where one is made.
void Convolution::RunTask(const TaskGrid& grid, int task, const void* values, const void* x,
                          const Tensor* add, const Tensor& output, int n, size_t pixel, void* panel,
                          const RunContext& context) const {
  const Tile& tile = grid.tiles[task / grid.chunks()];
  const int chunk = task % grid.chunks();
  const void* const first = Advance(x, tile.first, context.kernels.type);
  SpmmArgs args = Args(values, panel_.Fill(first, panel), output.At(n, 0, pixel + tile.first),
                       output.plane_stride);
  if (add != nullptr) args.add = add->At(n, 0, pixel + tile.first);
  args.first_group = grid.group_begin[chunk];
  args.end_group = grid.group_begin[chunk + 1];
  RunTile(grid, tile, args, context);
}

// With an activation, as many groups at a time as leave their results in the L1 cache for it; but
// of unstructured weights all, since there it is the inputs that stay in the cache from group to
// group.
void Convolution::RunTile(const TaskGrid& grid, const Tile& tile, const SpmmArgs& args,
                          const RunContext& context) const {
  const PackedWeights& w = *weights_;
  const Kernels& kernels = context.kernels;
  const size_t group = w.group;
  uint32_t step = args.end_group - args.first_group;
  if (epilogue_.activates && !w.unstructured()) {
    step = static_cast<uint32_t>(std::max<size_t>(1, kActivatedFloats / (tile.width * group)));
  }
  SpmmArgs step_args = args;
  for (uint32_t g = args.first_group; g < args.end_group; g += step) {
    step_args.first_group = g;
    step_args.end_group = std::min(args.end_group, g + step);
    if (context.ahead != nullptr && !w.unstructured()) {
      const Ahead::Lines lines =
          context.ahead->Take(w.group_begin[step_args.end_group] - w.group_begin[g]);
      step_args.fetch = lines.begin;
      step_args.fetch_step = lines.step;
    }
    RunSpmm(w, grid, tile, step_args, kernels);
    if (!epilogue_.activates) continue;
    void* const y = Advance(args.y, g * group * args.y_stride, kernels.type);
    const size_t outputs = std::min(step_args.end_group * group, size_t(w.lanes())) - g * group;
    // Outputs of one pixel lie side by side, and a tile's vectors over each other.
    const bool rows = args.y_stride > 1;
    kernels.unary(epilogue_.activation, {y, y, rows ? tile.width : outputs, rows ? outputs : 1,
                                         args.y_stride, epilogue_.alpha});
  }
}

std::vector<Range> Convolution::Constants() const {
  // (One pixel does without offsets.)
  const auto& columns = weights_->columns;
  const Range indices =
      offset_bytes_.empty()
          ? RangeOf(columns.begin(), columns.end())
          : RangeOf(offset_bytes_.data(), offset_bytes_.data() + offset_bytes_.size());
  std::vector<Range> all = {RangeOf(values_.From(0), values_.From(weights_->values.size()))};
  if (gated_) all.push_back(RangeOf(columns.begin(), columns.end()));
  all.push_back(indices);
  return all;
}

void Convolution::RunBands(const Tensor& input, const Tensor* add, const Tensor& output,
                           const RunContext& context) const {
  const Images in = input.images(), out = output.images();
  const Kernels& kernels = context.kernels;
  const int bands = lowered_.bands();
  if (bands == 1) {
    void* const lowered = context.scratch;
    for (int n = 0; n < in.n; ++n) {
      context.team.Run(in.c,
                       [&](int c, int) { lowered_.Fill(input, n, c, 0, out.h, lowered, kernels); });
      context.team.Run(BandTasks(0), [&](int task, int) {
        RunBandTask(add, output, n, 0, task, lowered, context);
      });
    }
    return;
  }
  context.team.Run(in.n * bands, [&](int task, int worker) {
    void* const lowered = context.ScratchOf(worker, lowered_.bytes());
    const int n = task / bands, band = task % bands;
    const int first_row = band * lowered_.band_rows();
    const int rows = std::min(lowered_.band_rows(), out.h - first_row);
    for (int c = 0; c < in.c; ++c) {
      lowered_.Fill(input, n, c, first_row, rows, lowered, kernels);
    }
    for (int t = 0; t < BandTasks(band); ++t) {
      RunBandTask(add, output, n, band, t, lowered, context);
    }
  });
}

const TaskGrid& Convolution::GridOf(int band) const {
  return band == lowered_.bands() - 1 ? last_grid_ : grid_;
}

int Convolution::BandTasks(int band) const {
  return lowered_.band_rows() / lowered_.stretch_rows() * GridOf(band).tasks();
}

void Convolution::RunBandTask(const Tensor* add, const Tensor& output, int n, int band, int task,
                              const void* lowered, const RunContext& context) const {
  const Images out = output.images();
  const TaskGrid& grid = GridOf(band);
  const int stretch = task / grid.tasks();
  const int row = band * lowered_.band_rows() + stretch * lowered_.stretch_rows();
  if (row >= out.h) return;
  const void* const x = Advance(lowered, stretch * lowered_.stretch(), context.kernels.type);
  RunTask(grid, task % grid.tasks(), values_.From(0), x, add, output, n,
          static_cast<size_t>(row) * out.w, nullptr, context);
}

Status Convolution::PlanRows(const std::vector<const Tensor*>& inputs, const Tensor& output,
                             const PlanContext& context, int most_rows, uint64_t* scratch) {
  PlanConstants(context);
  const Tensor& input = *inputs[0];
  const Images in = input.images(), out = output.images();
  panels_begin_ = 0;
  panel_ = TilePanel();
  row_grids_.clear();
  const auto make_grids = [&](int most) {
    for (int rows = 1; rows <= most; ++rows) {
      const size_t pixels = static_cast<size_t>(rows) * out.w;
      row_grids_.push_back(MakeGrid(*weights_, pixels, context.kernels, 1));
    }
  };
  const ElementType type = context.kernels.type;
  if (Pointwise(in)) {
    make_grids(most_rows);
    PlanPanel(row_grids_, input, context.kernels);
    *scratch = panel_.bytes();
    return PlanOffsets(*weights_, panel_.channel_stride(), {0}, type, groups_, &offset_bytes_);
  }
  PlacedWindow placed;
  const Status status = Place(window_, in, &placed);
  if (!status.ok()) return status;
  lowered_.PlanBand(window_, placed, in, input.layout == Layout::kFlat, context.kernels, most_rows);
  make_grids(lowered_.stretch_rows());
  *scratch = lowered_.bytes();
  return PlanOffsets(*weights_, lowered_.channel_stride(), lowered_.tap_offset(), type, groups_,
                     &offset_bytes_);
}

void Convolution::RunRows(const std::vector<const Tensor*>& inputs, const Tensor& output, int n,
                          Rows rows, const RunContext& context) const {
  const Tensor& input = *inputs[0];
  const Tensor* const add = epilogue_.add ? inputs.back() : nullptr;
  const Images in = input.images(), out = output.images();
  const bool pointwise = Pointwise(in);
  for (int c = 0; c < in.c && !pointwise; ++c) {
    lowered_.Fill(input, n, c, rows.first, rows.count(), context.scratch, context.kernels);
  }
  const int step = std::min(rows.count(), static_cast<int>(row_grids_.size()));
  const TaskGrid& grid = row_grids_[step - 1];
  const void* x = context.scratch;
  for (int row = rows.first; row < rows.end; row += step) {
    const size_t pixel = static_cast<size_t>(row) * out.w;
    if (pointwise) x = input.At(n, 0, pixel);
    for (int task = 0; task < grid.tasks(); ++task) {
      RunTask(grid, task, values_.From(0), x, add, output, n, pixel, PanelOf(0, context), context);
    }
    if (!pointwise) x = Advance(x, lowered_.stretch(), context.kernels.type);
  }
}

}  // namespace sbnn
