#include "delegate/engine/ops/depthwise.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <string>
#include <utility>

namespace sbnn {
namespace {

// Rows of a band that needs no copy: enough tasks for threads, few rows read twice.
constexpr int kDirectRows = 56;
// Floats of the planes that are copied at a time, a part of the L1 cache; and the least planes.
constexpr size_t kCopiedFloats = 4096;
constexpr size_t kCopiedPlanes = 4;
constexpr size_t kCopyBytes = kCopiedFloats * sizeof(float) + 3 * kVectorBytes;  // with room around
// Output pixels of a task.
constexpr size_t kTaskPixels = 8192;
// The most taps of a 3 x 3 and of a 5 x 5 window with which skipping the others pays: measured, see
// delegate/bench/ENGINE.md. Of windows without a kernel of their own, half.
constexpr size_t kMostTaps[] = {2, 9};

}  // namespace

Depthwise::Depthwise(std::shared_ptr<const DepthwiseWeights> weights, const Window& window,
                     float lo, float hi)
    : weights_(std::move(weights)),
      window_(window),
      limits_{false, lo, hi},
      kept_(weights_->taps, window.kernel_h * window.kernel_w) {}

Status Depthwise::InferShape(const std::vector<Shape>& inputs, Shape* output) const {
  if (inputs[0].size() != 4) return Status::Error("a depthwise convolution reads 4 dimensions");
  const Images image = AsImages(inputs[0]);
  if (image.c * weights_->multiplier != weights_->channels) {
    return Status::Error("a depthwise filter of " + std::to_string(weights_->channels) +
                         " channels meets " + std::to_string(image.c));
  }
  PlacedWindow placed;
  const Status status = Place(window_, image, &placed);
  if (!status.ok()) return status;
  *output = {image.n, placed.out_h, placed.out_w, weights_->channels};
  return Status();
}

bool Depthwise::AbsorbMargin(const Margin& margin) {
  window_.margin += margin;
  return true;
}

Status Depthwise::Plan(const std::vector<const Tensor*>& inputs, const Tensor& output,
                       const PlanContext& context, uint64_t* scratch) {
  epilogue_ = limits_;
  epilogue_.Then(context.epilogue);
  bias_.Plan(weights_->bias.data(), weights_->bias.size(), context.kernels.type);
  const Images out = output.images();
  const Status status = Place(window_, inputs[0]->images(), &placed_);
  if (!status.ok()) return status;
  shifts_ = ShiftsOf(kept_, window_, placed_);
  direct_ = DirectKernel(*inputs[0], output, context.kernels);
  skipping_ = SkippingKernel(*inputs[0], output, context.kernels);
  if (skipping_ != nullptr) direct_ = nullptr;
  const std::vector<float>& taps = direct_ != nullptr ? weights_->taps : kept_.values;
  taps_.Plan(taps.data(), taps.size(), context.kernels.type);
  if (direct_ != nullptr || skipping_ != nullptr) {
    const bool whole = MayOverwrite(*inputs[0], output, context.threads);
    band_rows_ = whole ? out.h : std::min(out.h, kDirectRows);
    bands_ = (out.h + band_rows_ - 1) / band_rows_;
    if (whole) *scratch = kCopyBytes * context.threads;
  } else {
    rows_.Plan(window_, placed_, context.kernels.type);
    tap_offset_.clear();
    for (int tap : kept_.tap) tap_offset_.push_back(rows_.tap_offset()[tap]);
    band_rows_ = rows_.band_rows();
    bands_ = rows_.bands();
    *scratch = rows_.bytes() * context.threads;
  }
  const size_t pixels = std::max<size_t>(1, static_cast<size_t>(band_rows_) * out.w);
  channels_per_task_ = static_cast<int>(std::max<size_t>(1, kTaskPixels / pixels));
  channels_per_task_ += channels_per_task_ % 2;  // whole pairs
  return Status();
}

// With several threads: else, of a line of the output that one thread writes and another reads,
// both keep a copy, and until the other's is gone the next writing of it waits (on a Zen 4, 7 ns,
// or 28 if the cores have no cache in common). Whoever writes here has just read the same line.
// Small planes, since the copy should not cost more.
bool Depthwise::MayOverwrite(const Tensor& input, const Tensor& output, int threads) const {
  return threads > 1 && SmallWindow() && window_.stride_h == 1 && input.shape == output.shape &&
         input.layout == Layout::kPanel && input.plane_stride * kCopiedPlanes <= kCopiedFloats;
}

bool Depthwise::SmallWindow() const {
  const int size = window_.kernel_h, stride = window_.stride_h;
  return (size == 3 || size == 5) && window_.kernel_w == size && stride <= 2 &&
         window_.stride_w == stride && window_.dilation_h == 1 && window_.dilation_w == 1 &&
         weights_->multiplier == 1;
}

DepthwiseDirectFn Depthwise::DirectKernel(const Tensor& input, const Tensor& output,
                                          const Kernels& kernels) const {
  const Images in = input.images(), out = output.images();
  const int size = window_.kernel_h, stride = window_.stride_h;
  const bool fits = SmallWindow() && placed_.pad_left <= kMaxLanes &&
                    out.w * stride - placed_.pad_left <= in.w + kMaxLanes &&
                    input.layout == Layout::kPanel && output.layout == Layout::kPanel;
  if (!fits) return nullptr;
  const DepthwiseDirectFn pairs = kernels.depthwise_two_channels[(size - 3) / 2][stride - 1];
  if (pairs != nullptr && in.w <= kernels.lanes && out.w <= kernels.lanes / 2) return pairs;
  return kernels.depthwise_direct[(size - 3) / 2][stride - 1];
}

DepthwiseTapsFn Depthwise::SkippingKernel(const Tensor& input, const Tensor& output,
                                          const Kernels& kernels) const {
  const Images in = input.images(), out = output.images();
  const int64_t reach_w = int64_t{window_.kernel_w - 1} * window_.dilation_w;
  const bool fits = window_.stride_h == 1 && window_.stride_w == 1 && weights_->multiplier == 1 &&
                    placed_.pad_left <= kMaxLanes && reach_w < kMaxTapColumns &&
                    out.w + reach_w - placed_.pad_left - in.w <= kMaxLanes &&
                    input.layout == Layout::kPanel && output.layout == Layout::kPanel;
  if (!fits || shifts_.of.empty()) return nullptr;
  bool pays = kept_.tap.size() * 2 <= weights_->taps.size();
  if (direct_ != nullptr) {
    const int index = (window_.kernel_h - 3) / 2;
    pays = direct_ == kernels.depthwise_direct[index][0] &&
           kept_.tap.size() <= kMostTaps[index] * out.c;
  }
  return pays ? kernels.depthwise_taps : nullptr;
}

std::string Depthwise::Remark() const {
  if (kept_.tap.size() == weights_->taps.size()) return "";
  char text[96];
  std::snprintf(text, sizeof(text), "%.1f of %d taps are not zero, %s",
                static_cast<double>(kept_.tap.size()) / weights_->channels,
                window_.kernel_h * window_.kernel_w,
                direct_ == nullptr ? "the others are skipped"
                                   : "computed with the zeros, since that is faster");
  return text;
}

void Depthwise::RunPlanes(const Tensor& input, const void* x, const Tensor& output, int n,
                          int first_channel, int channels, int first_row, int rows) const {
  const Images in = input.images();
  const DepthwisePlanes planes{x,
                               input.plane_stride,
                               in.h,
                               in.w,
                               output.At(n, first_channel),
                               output.plane_stride,
                               output.images().w,
                               first_row,
                               first_row + rows,
                               channels,
                               bias_.From(first_channel),
                               epilogue_.lo,
                               epilogue_.hi};
  if (direct_ != nullptr) {
    const size_t taps = static_cast<size_t>(window_.kernel_h) * window_.kernel_w;
    direct_({planes, placed_.pad_top, placed_.pad_left, taps_.From(first_channel * taps)});
  } else {
    skipping_({planes, kept_.begin.data() + first_channel, shifts_.of.data(), shifts_.least,
               shifts_.most, taps_.From(0)});
  }
}

// The output lies where the input lies.
void Depthwise::RunInPlace(const Tensor& input, const Tensor& output, int n, int first, int end,
                           void* scratch) const {
  void* const copy = static_cast<char*>(scratch) + kVectorBytes;
  const int step = static_cast<int>(kCopiedFloats / input.plane_stride / 2 * 2);  // whole pairs
  for (int c = first; c < end; c += step) {
    const int planes = std::min(step, end - c);
    std::memcpy(copy, input.At(n, c), planes * input.plane_stride * BytesOf(input.type));
    RunPlanes(input, copy, output, n, c, planes, 0, output.images().h);
  }
}

void Depthwise::RunPadded(const Tensor& input, const Tensor& output, int n, int c, int first_row,
                          int rows, const Kernels& kernels, void* padded) const {
  const Images out = output.images();
  rows_.Fill(input, n, c / weights_->multiplier, first_row, rows, 0.0f, kernels, padded);
  DepthwiseArgs args{};
  args.x = padded;
  args.x_row_stride = rows_.row_stride();
  args.y = output.At(n, c, static_cast<size_t>(first_row) * out.w);
  args.y_row_stride = out.w;
  args.rows = rows;
  args.width = out.w;
  args.stride = window_.stride_h;
  const uint32_t first = kept_.begin[c];
  args.taps = static_cast<int>(kept_.begin[c + 1] - first);
  args.tap_offset = tap_offset_.data() + first;
  args.weights = taps_.From(first);
  args.bias = weights_->bias[c];
  args.lo = epilogue_.lo;
  args.hi = epilogue_.hi;
  kernels.depthwise(args);
}

void Depthwise::RunChannels(const Tensor& input, const Tensor& output, int n, int first, int end,
                            Rows rows, const Kernels& kernels, void* padded) const {
  if (direct_ != nullptr || skipping_ != nullptr) {
    RunPlanes(input, input.At(n, first), output, n, first, end - first, rows.first, rows.count());
  } else {
    for (int c = first; c < end; ++c) {
      for (int row = rows.first; row < rows.end; row += rows_.band_rows()) {
        const int count = std::min(rows_.band_rows(), rows.end - row);
        RunPadded(input, output, n, c, row, count, kernels, padded);
      }
    }
  }
}

void Depthwise::Activate(const Tensor& output, int n, int first, int end, Rows rows,
                         const Kernels& kernels) const {
  if (!epilogue_.activates) return;
  const int width = output.images().w;
  void* const y = output.At(n, first, static_cast<size_t>(rows.first) * width);
  kernels.unary(epilogue_.activation,
                {y, y, static_cast<size_t>(rows.count()) * width, static_cast<size_t>(end - first),
                 output.plane_stride, epilogue_.alpha});
}

void Depthwise::Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
                    const RunContext& context) const {
  const Images out = output.images();
  const int tasks = (out.c + channels_per_task_ - 1) / channels_per_task_;
  context.team.Run(out.n * bands_ * tasks, [&](int task, int worker) {
    const int band = task % bands_, of_band = task / bands_ % tasks;
    const int n = task / bands_ / tasks;
    const Rows rows = {band * band_rows_, std::min(out.h, (band + 1) * band_rows_)};
    const int first = of_band * channels_per_task_,
              end = std::min(out.c, first + channels_per_task_);
    if (inputs[0]->data == output.data) {
      RunInPlace(*inputs[0], output, n, first, end, context.ScratchOf(worker, kCopyBytes));
    } else {
      RunChannels(*inputs[0], output, n, first, end, rows, context.kernels,
                  context.ScratchOf(worker, rows_.bytes()));
    }
    Activate(output, n, first, end, rows, context.kernels);
  });
}

void Depthwise::RunRows(const std::vector<const Tensor*>& inputs, const Tensor& output, int n,
                        Rows rows, const RunContext& context) const {
  const Images out = output.images();
  // With an activation, as many channels at a time as leave their results in the L1 cache for it.
  const int fitting = static_cast<int>(kTaskPixels / (static_cast<size_t>(rows.count()) * out.w));
  const int step = epilogue_.activates ? std::max(2, fitting / 2 * 2) : out.c;
  for (int c = 0; c < out.c; c += step) {
    const int end = std::min(out.c, c + step);
    RunChannels(*inputs[0], output, n, c, end, rows, context.kernels, context.scratch);
    Activate(output, n, c, end, rows, context.kernels);
  }
}

}  // namespace sbnn
