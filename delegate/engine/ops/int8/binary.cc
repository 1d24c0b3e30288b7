#include "delegate/engine/ops/int8/binary.h"

#include <algorithm>
#include <cstring>

#include "delegate/engine/flat_range.h"
#include "delegate/engine/strided.h"

namespace sbnn {
namespace {

// The shape of a result by the rules of broadcasting; false: there is none.
bool Broadcast(const Shape& a, const Shape& b, Shape* output) {
  output->assign(std::max(a.size(), b.size()), 1);
  for (const Shape* shape : {&a, &b}) {
    for (size_t d = 0; d < shape->size(); ++d) {
      int& size = (*output)[output->size() - shape->size() + d];
      if (size == 1) {
        size = (*shape)[d];
      } else if ((*shape)[d] != 1 && (*shape)[d] != size) {
        return false;
      }
    }
  }
  return true;
}

}  // namespace

Status Int8Binary::InferShape(const std::vector<Shape>& inputs, Shape* output) const {
  const Shape& second = inputs.size() == 2 ? inputs[1] : constant_.shape;
  if (Broadcast(inputs[0], second, output)) return Status();
  return Status::Error("the operands' shapes do not fit together");
}

Int8Binary::Spread Int8Binary::SpreadOf(const Shape& shape, const Shape& output) {
  if (shape == output) return Spread::kSame;
  const size_t count = ElementCount(shape);
  if (count == 1) return Spread::kOne;
  // One for each channel, or each channel of each image.
  const Images out = AsImages(output);
  const bool channels = !shape.empty() && shape.back() == out.c && output.back() == out.c;
  if (channels && count == static_cast<size_t>(out.c)) return Spread::kChannels;
  if (channels && output.size() == 4 && shape == Shape({out.n, 1, 1, out.c})) {
    return Spread::kChannels;
  }
  return Spread::kAnyhow;
}

// Images as they are, or with a value for each channel: quads too.
LayoutUse Int8Binary::Reads(Layout layout, const std::vector<Shape>& inputs) const {
  Shape output;
  if (!InferShape(inputs, &output).ok()) return LayoutUse::kCannot;
  for (const Shape& shape : inputs) {
    if (SpreadOf(shape, output) == Spread::kAnyhow && layout == Layout::kQuads) {
      return LayoutUse::kCannot;
    }
  }
  const bool constant = inputs.size() == 1;
  if (constant && layout == Layout::kQuads &&
      SpreadOf(constant_.shape, output) == Spread::kAnyhow) {
    return LayoutUse::kCannot;
  }
  // (A constant as large as the output is row-major.)
  if (constant && layout != Layout::kFlat && SpreadOf(constant_.shape, output) == Spread::kSame) {
    return layout == Layout::kPanel ? LayoutUse::kCan : LayoutUse::kCannot;
  }
  return LayoutUse::kCan;
}

std::vector<Int8Binary::Operand> Int8Binary::Operands(const std::vector<const Tensor*>& inputs,
                                                      const Tensor& output) const {
  std::vector<Operand> operands;
  for (const Tensor* input : inputs) {
    operands.push_back({input, input->shape, SpreadOf(input->shape, output.shape)});
  }
  if (inputs.size() == 1) {
    Operand constant{nullptr, constant_.shape, SpreadOf(constant_.shape, output.shape)};
    if (constant.spread == Spread::kSame && output.layout != Layout::kFlat) {
      constant.spread = Spread::kAnyhow;
    }
    operands.insert(constant_first_ ? operands.begin() : operands.end(), constant);
  }
  return operands;
}

const int8_t* Int8Binary::From(const Operand& operand) const {
  return operand.tensor == nullptr ? constant_.numbers.data()
                                   : static_cast<const int8_t*>(operand.tensor->data);
}

Status Int8Binary::Plan(const std::vector<const Tensor*>& inputs, const Tensor& output,
                        const PlanContext& context, uint64_t* scratch) {
  std::vector<Quantization> q;
  spread_bytes_ = 0;
  bool channels = false;
  *scratch = 0;
  for (const Operand& operand : Operands(inputs, output)) {
    q.push_back(operand.tensor == nullptr ? constant_.quantization : operand.tensor->quantization);
    channels = channels || operand.spread == Spread::kChannels;
    if (operand.spread == Spread::kAnyhow) spread_bytes_ = output.allocation();
  }
  arithmetic_ = Arithmetic(kind_, q[0], q[1], output.quantization, lo_, hi_);
  *scratch = spread_bytes_ > 0 ? 2 * spread_bytes_
             : channels && output.layout == Layout::kQuads
                 ? uint64_t{output.plane_stride} * context.threads
                 : 0;
  return Status();
}

// A value for each channel meets images of any layout, or rows of channels.
void Int8Binary::RunChannels(const Operand& left, const Operand& right, const Tensor& output,
                             const RunContext& context) const {
  const int8::Elementwise& kernels = int8::KernelsOf(context.kernels.isa)->elementwise;
  const bool left_small = left.spread == Spread::kChannels;
  const int8_t* const small = From(left_small ? left : right);
  const int8_t* const large = From(left_small ? right : left);
  const bool by_image =
      ElementCount((left_small ? left : right).shape) > static_cast<size_t>(output.images().c);
  const auto run = [&](size_t at, const int8_t* values, bool scalar, size_t count) {
    auto* const y = static_cast<int8_t*>(output.data) + at;
    if (left_small) {
      arithmetic_(kernels, values, scalar, large + at, false, y, count);
    } else {
      arithmetic_(kernels, large + at, false, values, scalar, y, count);
    }
  };
  const Images out = output.images();
  const size_t c = out.c;
  if (output.layout == Layout::kFlat) {
    const size_t rows = ElementCount(output.shape) / c, of_image = rows / out.n;
    context.team.Run(static_cast<int>(rows), [&](int r, int) {
      run(r * c, small + (by_image ? r / of_image * c : 0), false, c);
    });
    return;
  }
  const int together = output.layout == Layout::kQuads ? 4 : 1,
            planes = (out.c + together - 1) / together;
  context.team.Run(out.n * planes, [&](int task, int worker) {
    const int n = task / planes, plane = task % planes, first = plane * together;
    const int8_t* const values = small + (by_image ? n * c : 0) + first;
    const size_t at = n * output.image_stride + plane * output.plane_stride;
    if (together == 1) return run(at, values, true, out.pixels());
    auto* const repeated = static_cast<int8_t*>(context.ScratchOf(worker, output.plane_stride));
    int8_t four[4] = {};
    std::copy(values, values + std::min(4, out.c - first), four);
    for (size_t i = 0; i < out.pixels(); ++i) std::memcpy(repeated + 4 * i, four, 4);
    run(at, repeated, false, 4 * out.pixels());
  });
}

void Int8Binary::Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
                     const RunContext& context) const {
  std::vector<Operand> operands = Operands(inputs, output);
  const int8_t* data[2] = {From(operands[0]), From(operands[1])};
  bool channels = operands[0].spread == Spread::kSame || operands[1].spread == Spread::kSame;
  channels = channels &&
             (operands[0].spread == Spread::kChannels || operands[1].spread == Spread::kChannels);
  if (channels && spread_bytes_ == 0) {
    return RunChannels(operands[0], operands[1], output, context);
  }
  for (int i = 0; i < 2 && spread_bytes_ > 0; ++i) {
    const Operand& o = operands[i];
    if (o.spread == Spread::kSame || o.spread == Spread::kOne) continue;
    const Strides strides = o.tensor == nullptr ? RowMajorStrides(o.shape) : StridesOf(*o.tensor);
    Strides from(output.shape.size(), 0);
    for (size_t d = 0; d < o.shape.size(); ++d) {
      if (o.shape[d] != 1) from[from.size() - o.shape.size() + d] = strides[d];
    }
    void* const spread = context.ScratchOf(i, spread_bytes_);
    CopyStrided(output.shape, data[i], from, spread, StridesOf(output), ElementType::kInt8,
                context.kernels, context.team);
    data[i] = static_cast<const int8_t*>(spread);
    operands[i].spread = Spread::kSame;
  }
  const int8::Elementwise& kernels = int8::KernelsOf(context.kernels.isa)->elementwise;
  const bool one[2] = {operands[0].spread == Spread::kOne, operands[1].spread == Spread::kOne};
  ForEachRange(output, context.team, [&](size_t first, size_t count) {
    arithmetic_(kernels, data[0] + (one[0] ? 0 : first), one[0], data[1] + (one[1] ? 0 : first),
                one[1], static_cast<int8_t*>(output.From(first)), count);
  });
}

}  // namespace sbnn
