#include "delegate/engine/ops/binary.h"

#include <algorithm>

#include "delegate/engine/flat_range.h"
#include "delegate/engine/strided.h"

namespace sbnn {

namespace {

// Whether Run spreads `small` over `large` as it goes: equal in each dimension, or 1; height and
// width only together.
bool Spreads(const Shape& small, const Shape& large) {
  if (small == large) return true;
  if (small.size() != large.size() || (large.size() != 4 && large.size() != 2)) return false;
  const Images a = AsImages(small), b = AsImages(large);
  const bool pixels = (a.h == b.h && a.w == b.w) || a.pixels() == 1;
  return pixels && (a.n == b.n || a.n == 1) && (a.c == b.c || a.c == 1);
}

// How an operand goes along the rows of a flat output, each as long as its last dimension.
struct AlongRows {
  bool fits = false;
  bool scalar = false;  // one element for all of a row
  size_t step = 0;      // from a row to the next
};
AlongRows Along(const Shape& small, const Shape& large) {
  AlongRows along;
  if (small.size() > large.size() || large.empty()) return along;
  const size_t row = static_cast<size_t>(large.back()), ahead = large.size() - small.size();
  along.scalar = row != 1 && (small.empty() || small.back() == 1);
  const size_t of_row = along.scalar ? 1 : row;
  bool same = true;
  for (size_t d = 0; d + 1 < large.size(); ++d) {
    same = same && (d < ahead ? 1 : small[d - ahead]) == large[d];
  }
  along.step = same ? of_row : 0;
  along.fits = same || ElementCount(small) == of_row;
  return along;
}

// Copies a tensor to where one of the output's shape and layout is, over and over.
void Spread(const float* x, const Shape& shape, const Strides& strides, const Tensor& output,
            float* y, const Kernels& kernels, Team& team) {
  Strides from(output.shape.size(), 0);
  for (size_t d = 0; d < shape.size(); ++d) {
    if (shape[d] != 1) from[from.size() - shape.size() + d] = strides[d];
  }
  CopyStrided(output.shape, x, from, y, StridesOf(output), ElementType::kFloat32, kernels, team);
}

}  // namespace

Status Binary::InferShape(const std::vector<Shape>& inputs, Shape* output) const {
  const Shape& a = inputs[0];
  const Shape& b = inputs.size() == 2 ? inputs[1] : constant_shape_;
  output->assign(std::max(a.size(), b.size()), 1);
  for (const Shape* shape : {&a, &b}) {
    for (size_t d = 0; d < shape->size(); ++d) {
      int& size = (*output)[output->size() - shape->size() + d];
      if (size == 1) {
        size = (*shape)[d];
      } else if ((*shape)[d] != 1 && (*shape)[d] != size) {
        return Status::Error("the operands' shapes do not fit together");
      }
    }
  }
  return Status();
}

// An addition of two images of equal shape. (Of one-pixel images there is nothing to save.)
bool Binary::AsEpilogue(const std::vector<Shape>& inputs, Epilogue* epilogue) const {
  if (kind_ != BinaryKind::kAdd || inputs.size() != 2 || inputs[0] != inputs[1] ||
      LayoutOf(inputs[0]) != Layout::kPanel) {
    return false;
  }
  epilogue->add = true;
  epilogue->lo = lo_;
  epilogue->hi = hi_;
  return true;
}

bool Binary::AsScale(float* factor) const {
  const bool scales = kind_ == BinaryKind::kMul || (kind_ == BinaryKind::kDiv && !swapped_);
  if (!scales || constant_.size() != 1 || limits()) return false;
  *factor = kind_ == BinaryKind::kMul ? constant_[0] : 1 / constant_[0];
  return true;
}

bool Binary::AsGate(const std::vector<Shape>& inputs, size_t* images) const {
  if (!Multiplies()) return false;
  *images = LayoutOf(inputs[0]) == Layout::kPanel ? 0 : 1;
  const Shape &image = inputs[*images], &gate = inputs[1 - *images];
  return LayoutOf(image) == Layout::kPanel && gate == Shape({image[0], 1, 1, image[3]});
}

// Whether no operand has to be spread beforehand.
bool Binary::Direct(const std::vector<Shape>& inputs, const Shape& output) const {
  if (LayoutOf(output) == Layout::kFlat) {
    return Along(inputs[0], output).fits &&
           Along(inputs.size() == 2 ? inputs[1] : constant_shape_, output).fits;
  }
  if (inputs.size() == 2) {
    const Shape &a = inputs[0], &b = inputs[1];
    return (a == output && Spreads(b, a)) || (b == output && Spreads(a, b));
  }
  const bool channels = !constant_shape_.empty() && constant_shape_.back() == output.back() &&
                        static_cast<int>(constant_.size()) == output.back();
  return inputs[0] == output && (constant_.size() == 1 || channels);
}

TypeUse Binary::UseOf(ElementType type, const std::vector<Shape>& inputs) const {
  Shape output;
  const bool direct = InferShape(inputs, &output).ok() && Direct(inputs, output);
  return IsFloat(type) && direct ? TypeUse::kIfGiven : TypeUse::kNever;
}

Status Binary::Plan(const std::vector<const Tensor*>& inputs, const Tensor& output,
                    const PlanContext& context, uint64_t* scratch) {
  *scratch = 0;
  std::vector<Shape> shapes;
  for (const Tensor* input : inputs) shapes.push_back(input->shape);
  constants_.Plan(constant_.data(), constant_.size(), context.kernels.type);
  direct_ = Direct(shapes, output.shape);
  if (direct_) return Status();
  for (const Tensor* input : inputs) {
    if (input->shape != output.shape) *scratch += output.allocation();
  }
  if (inputs.size() == 2) return Status();
  if (!spread_.Resize(output.allocation())) return Status::Error("no memory for a constant");
  Team alone(1);
  Spread(constant_.data(), constant_shape_, RowMajorStrides(constant_shape_), output,
         static_cast<float*>(spread_.data()), context.kernels, alone);
  return Status();
}

void Binary::RunSpread(const std::vector<const Tensor*>& inputs, const Tensor& output,
                       const RunContext& context) const {
  const float* operands[2] = {nullptr, static_cast<float*>(spread_.data())};
  float* free = context.float_scratch();
  for (size_t i = 0; i < inputs.size(); ++i) {
    operands[i] = inputs[i]->floats();
    if (inputs[i]->shape == output.shape) continue;
    Spread(inputs[i]->floats(), inputs[i]->shape, StridesOf(*inputs[i]), output, free,
           context.kernels, context.team);
    operands[i] = free;
    free += output.allocation() / sizeof(float);
  }
  ForEachRange(output, context.team, [&](size_t first, size_t count) {
    context.kernels.binary(kind_, {operands[0] + first, operands[1] + first, false, swapped_,
                                   output.floats() + first, count, lo_, hi_});
  });
}

// Each row of a flat output, or each with a constant that is a row or a number.
void Binary::RunRows(const std::vector<const Tensor*>& inputs, const Tensor& output,
                     const RunContext& context) const {
  const bool two = inputs.size() == 2;
  const Shape* const shapes[] = {&inputs[0]->shape, two ? &inputs[1]->shape : &constant_shape_};
  AlongRows along[2];
  for (int i : {0, 1}) along[i] = Along(*shapes[i], output.shape);
  // `b` is the operand with one element a row, if there is one.
  const int b = along[0].scalar ? 0 : 1, a = 1 - b;
  const bool swapped = two ? b == 0 : (b == 0) != swapped_;
  const auto from = [&](int i, size_t row) -> const void* {
    const size_t element = row * along[i].step;
    return i == 1 && !two ? constants_.From(element) : inputs[i]->From(element);
  };
  const size_t length = static_cast<size_t>(output.shape.back());
  const size_t rows = ElementCount(output.shape) / length;
  const size_t rows_per_task = std::max<size_t>(1, 8192 / length);
  const size_t tasks = (rows + rows_per_task - 1) / rows_per_task;
  context.team.Run(static_cast<int>(tasks), [&](int task, int) {
    const size_t first = task * rows_per_task, end = std::min(rows, first + rows_per_task);
    for (size_t r = first; r < end; ++r) {
      context.kernels.binary(kind_, {from(a, r), from(b, r), along[b].scalar, swapped,
                                     output.From(r * length), length, lo_, hi_});
    }
  });
}

void Binary::Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
                 const RunContext& context) const {
  if (!direct_) return RunSpread(inputs, output, context);
  const bool two = inputs.size() == 2;
  // `a` has the shape of the output; `b` is spread over it.
  const bool swapped = two ? inputs[0]->shape != output.shape : swapped_;
  const Tensor& a = two && swapped ? *inputs[1] : *inputs[0];
  const Tensor* const b = !two ? nullptr : swapped ? inputs[0] : inputs[1];
  const auto b_from = [&](size_t element) -> const void* {
    return two ? b->From(element) : constants_.From(element);
  };
  const auto run = [&](const void* x, const void* y, bool scalar, void* z, size_t count) {
    context.kernels.binary(kind_, {x, y, scalar, swapped, z, count, lo_, hi_});
  };
  const bool scalar = two ? ElementCount(b->shape) == 1 : constant_.size() == 1;
  if (a.shape == output.shape && (scalar || (two && b->shape == output.shape))) {
    ForEachRange(output, context.team, [&](size_t first, size_t count) {
      run(a.From(first), b_from(scalar ? 0 : first), scalar, output.From(first), count);
    });
    return;
  }
  if (output.layout == Layout::kFlat) return RunRows(inputs, output, context);

  const Images out = output.images();
  const Images small = two ? b->images() : Images{1, 1, 1, static_cast<int>(constant_.size())};
  context.team.Run(out.n * out.c, [&](int task, int) {
    const int n = task / out.c, c = task % out.c;
    const int from_n = small.n == 1 ? 0 : n, from_c = small.c == 1 ? 0 : c;
    const bool plane = two && b->layout == Layout::kPanel;
    const void* const y =
        plane ? b->At(from_n, from_c) : b_from(static_cast<size_t>(from_n) * small.c + from_c);
    run(a.At(n, c), y, !plane, output.At(n, c), out.pixels());
  });
}

}  // namespace sbnn
