// What a node would take here and in TensorFlow Lite with XNNPACK: a line through the origin for
// each kind of work, fitted to measurements (`python -m delegate.bench.fit`).
#ifndef SBNN_DELEGATE_TRANSLATION_COST_H_
#define SBNN_DELEGATE_TRANSLATION_COST_H_

#include <memory>
#include <string>
#include <vector>

#include "delegate/engine/tensor.h"
#include "delegate/format/packed_weights.h"
#include "delegate/kernels/table.h"

namespace sbnn {

struct NodeView;
struct Translation;

struct Prediction {
  double here = 0, stock = 0;  // seconds
  bool known = true;           // else nobody has measured this type of elements: both are 0
};

// Of a node that can be translated; `packed` are its weights in the engine's form.
Prediction PredictNode(const NodeView& view, const Translation& translation,
                       const std::vector<std::shared_ptr<const PackedWeights>>& packed);

// Whether the time of these kernels was measured or modelled.
bool HasRates(const Kernels& kernels);
bool HasInt8Rates(const Kernels& kernels);  // that of the int8 kernels that go with these

// Of bringing a tensor of this shape to or from the engine's layout.
double PredictLayoutChange(const Shape& shape, bool quantized, const Kernels& kernels);

}  // namespace sbnn

#endif  // SBNN_DELEGATE_TRANSLATION_COST_H_
