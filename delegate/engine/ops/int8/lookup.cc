#include "delegate/engine/ops/int8/lookup.h"

#include "delegate/engine/flat_range.h"
#include "delegate/kernels/int8/table.h"

namespace sbnn {
namespace {

constexpr size_t kMostRest = 16;

// A number, by its place in the outside's layout.
int8_t* At(const Tensor& t, size_t i) {
  if (t.layout == Layout::kFlat) return static_cast<int8_t*>(t.From(i));
  const Images image = t.images();
  const size_t c = i % image.c, pixel = i / image.c;
  const int n = static_cast<int>(pixel / image.pixels());
  if (t.layout == Layout::kPanel) return t.bytes(n, c, pixel % image.pixels());
  return t.bytes(n, c / kQuad, pixel % image.pixels() * kQuad + c % kQuad);
}

}  // namespace

Status Lookup::InferShape(const std::vector<Shape>& inputs, Shape* output) const {
  *output = inputs[0];
  return Status();
}

Status Lookup::Plan(const std::vector<const Tensor*>& inputs, const Tensor& output,
                    const PlanContext&, uint64_t*) {
  table_ = make_table_(inputs[0]->quantization, output.quantization);
  if (vector_ > 1) {
    table_of_rest_ = make_table_of_rest_(inputs[0]->quantization, output.quantization);
  }
  return Status();
}

void Lookup::Run(const std::vector<const Tensor*>& inputs, const Tensor& output,
                 const RunContext& context) const {
  const size_t count = ElementCount(output.shape), rest = count % vector_;
  int8_t results[kMostRest];  // (The output may be where the input is.)
  for (size_t i = 0; i < rest; ++i) {
    results[i] = table_of_rest_[static_cast<uint8_t>(*At(*inputs[0], count - rest + i))];
  }
  const int8::LookupFn lookup = int8::KernelsOf(context.kernels.isa)->elementwise.lookup;
  ForEachRange(output, context.team, [&](size_t first, size_t count) {
    lookup(static_cast<const int8_t*>(inputs[0]->From(first)),
           static_cast<int8_t*>(output.From(first)), count, table_.data());
  });
  for (size_t i = 0; i < rest; ++i) *At(output, count - rest + i) = results[i];
}

}  // namespace sbnn
