#include "delegate/engine/ops/binary.h"

#include "delegate/engine/ops/flat_range.h"

namespace sbnn {

bool Binary::Spreads(const Shape& small, const Shape& large) {
  if (small == large) return true;
  if (small.size() != large.size() || (large.size() != 4 && large.size() != 2)) return false;
  const Images a = AsImages(small), b = AsImages(large);
  const bool pixels = (a.h == b.h && a.w == b.w) || a.pixels() == 1;
  return pixels && (a.n == b.n || a.n == 1) && (a.c == b.c || a.c == 1);
}

Status Binary::InferShape(const std::vector<Shape>& inputs, Shape* output) const {
  if (inputs.size() == 1) {
    const size_t count = constant_.size();
    *output = inputs[0];
    if (count == 1 || static_cast<int>(count) == inputs[0].back()) return Status();
  } else if (Spreads(inputs[1], inputs[0])) {
    *output = inputs[0];
    return Status();
  } else if (Spreads(inputs[0], inputs[1])) {
    *output = inputs[1];
    return Status();
  }
  return Status::Error("the operands' shapes do not fit together");
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

void Binary::Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
                 const RunContext& context) const {
  const bool two = inputs.size() == 2;
  // `a` has the shape of the output; `b` is spread over it.
  const bool swapped = two ? inputs[0]->shape != output.shape : swapped_;
  const Tensor& a = two && swapped ? *inputs[1] : *inputs[0];
  const Tensor* const b = !two ? nullptr : swapped ? inputs[0] : inputs[1];
  const float* const b_data = two ? b->data : constant_.data();
  const auto run = [&](const float* x, const float* y, bool scalar, float* z, size_t count) {
    context.kernels.binary(kind_, {x, y, scalar, swapped, z, count, lo_, hi_});
  };
  const bool scalar = two ? ElementCount(b->shape) == 1 : constant_.size() == 1;
  if (scalar || (two && b->shape == output.shape)) {
    ForEachRange(output, context.team, [&](size_t first, size_t count) {
      run(a.data + first, scalar ? b_data : b_data + first, scalar, output.data + first, count);
    });
    return;
  }

  const Images out = output.images();
  const Images small = two ? b->images() : Images{1, 1, 1, static_cast<int>(constant_.size())};
  if (output.layout == Layout::kFlat) {
    const size_t rows = ElementCount(output.shape) / out.c;  // of channels; images have one pixel
    for (size_t r = 0; r < rows; ++r) {
      const float* const y = b_data + (small.n == 1 ? 0 : r * small.c);
      run(a.data + r * out.c, y, small.c == 1, output.data + r * out.c, out.c);
    }
    return;
  }
  context.team.Run(out.n * out.c, [&](int task, int) {
    const int n = task / out.c, c = task % out.c;
    const int from_n = small.n == 1 ? 0 : n, from_c = small.c == 1 ? 0 : c;
    const bool plane = two && b->layout == Layout::kPanel;
    const float* const y =
        plane ? b->Plane(from_n, from_c) : b_data + static_cast<size_t>(from_n) * small.c + from_c;
    run(a.Plane(n, c), y, !plane, output.Plane(n, c), out.pixels());
  });
}

}  // namespace sbnn
