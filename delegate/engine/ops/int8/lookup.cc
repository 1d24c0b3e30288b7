#include "delegate/engine/ops/int8/lookup.h"

#include "delegate/engine/flat_range.h"
#include "delegate/kernels/int8/table.h"

namespace sbnn {

Status Lookup::InferShape(const std::vector<Shape>& inputs, Shape* output) const {
  *output = inputs[0];
  return Status();
}

Status Lookup::Plan(const std::vector<const Tensor*>& inputs, const Tensor& output,
                    const PlanContext&, uint64_t*) {
  table_ = make_table_(inputs[0]->quantization, output.quantization);
  return Status();
}

void Lookup::Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
                 const RunContext& context) const {
  const int8::LookupFn lookup = int8::KernelsOf(context.kernels.isa)->elementwise.lookup;
  ForEachRange(output, context.team, [&](size_t first, size_t count) {
    lookup(static_cast<const int8_t*>(inputs[0]->From(first)),
           static_cast<int8_t*>(output.From(first)), count, table_.data());
  });
}

}  // namespace sbnn
