#include "delegate/engine/ops/fully_connected.h"

#include <string>

#include "delegate/engine/layout.h"

namespace sbnn {

Status FullyConnected::InferShape(const std::vector<Shape>& inputs, Shape* output) const {
  const size_t count = ElementCount(inputs[0]);
  const size_t depth = static_cast<size_t>(weights_->inputs);
  if (count % depth != 0 || (keep_dims_ && inputs[0].back() != weights_->inputs)) {
    return Status::Error("a layer of " + std::to_string(depth) + " inputs meets " +
                         std::to_string(count) + " values");
  }
  if (keep_dims_) {
    *output = inputs[0];
    output->back() = weights_->outputs;
  } else {
    *output = {static_cast<int>(count / depth), weights_->outputs};
  }
  return Status();
}

// (Layouts are changed in floats only.)
TypeUse FullyConnected::UseOf(ElementType type, const std::vector<Shape>& inputs) const {
  Shape output;
  const bool flat = InferShape(inputs, &output).ok() && LayoutOf(inputs[0]) == Layout::kFlat &&
                    LayoutOf(output) == Layout::kFlat;
  return IsFloat(type) && flat ? TypeUse::kAsksFor : TypeUse::kNever;
}

// Images are brought into the outside's layout first, where a row of inputs is contiguous.
Status FullyConnected::Plan(const std::vector<const Tensor*>& inputs, const Tensor& output,
                            const PlanContext& context, uint64_t* scratch) {
  values_.Plan(weights_->values.data(), weights_->values.size(), context.kernels.type);
  bias_.Plan(weights_->bias.data(), weights_->bias.size(), context.kernels.type);
  grid_ = MakeVectorGrid(*weights_, context.threads);
  *scratch = 0;
  flat_output_ =
      inputs[0]->layout == Layout::kPanel
          ? RoundUp(ElementCount(inputs[0]->shape) * sizeof(float) + 2 * kVectorBytes, kVectorBytes)
          : 0;
  if (inputs[0]->layout == Layout::kPanel) *scratch += flat_output_;
  if (output.layout == Layout::kPanel) {
    *scratch += ElementCount(output.shape) * sizeof(float) + 2 * kVectorBytes;
  }
  return Status();
}

void FullyConnected::Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
                         const RunContext& context) const {
  const size_t depth = static_cast<size_t>(weights_->inputs);
  const size_t rows = ElementCount(inputs[0]->shape) / depth;
  const void* x = inputs[0]->data;
  if (inputs[0]->layout == Layout::kPanel) {
    ToFlat(*inputs[0], context.float_scratch(), context.kernels, context.team);
    x = context.scratch;
  }
  const bool images = output.layout == Layout::kPanel;
  void* const flat = images ? context.ScratchOf(1, flat_output_) : output.data;
  const ElementType type = context.kernels.type;
  for (size_t r = 0; r < rows; ++r) {
    RunSpmv(*weights_, grid_, values_, bias_, Advance(x, r * depth, type),
            Advance(flat, r * weights_->outputs, type), lo_, hi_, context);
  }
  if (images) FromFlat(flat, output, context.kernels, context.team);
}

}  // namespace sbnn
