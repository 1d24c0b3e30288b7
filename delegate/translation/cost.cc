#include "delegate/translation/cost.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "delegate/engine/ops/fully_connected.h"
#include "delegate/translation/translate.h"
#include "tensorflow/lite/builtin_ops.h"

namespace sbnn {
namespace {

enum Kind {
  kPointwise,  // 1x1 convolutions
  kWindow,     // other convolutions
  kMatrix,     // fully connected layers and convolutions of one pixel
  kDepthwise,
  kFunction,  // a function of each element that takes more than a few operations
  kMove,      // everything else goes as fast as memory
  kKinds,
};

// Nanoseconds for a thousand units of work, and for a thousand bytes of activations read or
// written. Here the work of a convolution is counted in multiply-adds of kept columns, weighted by
// how well a group of their width runs; in TensorFlow Lite in those of the dense layer. The work of
// a kFunction is its elements.
struct Rates {
  double work[kKinds];
  double bytes[kKinds];
  double node;  // nanoseconds a node
};

struct IsaRates {
  const char* isa;
  double layout;  // nanoseconds for a thousand bytes read or written where layouts change
  Rates here;
  Rates stock;
};

// One row an instruction set, as printed by `python -m delegate.bench.fit`. Only the ratios of
// times decide, so that a row serves every processor whose XNNPACK uses the same instruction set.
constexpr IsaRates kRates[] = {
#include "delegate/translation/cost_table.inl.h"
};

const IsaRates& RatesOf(const char* isa) {
  for (const IsaRates& rates : kRates) {
    if (std::strcmp(rates.isa, isa) == 0) return rates;
  }
  return kRates[0];
}

double Elements(const Shape& shape) { return static_cast<double>(ElementCount(shape)); }

// Seconds: each float is read and written.
double LayoutChange(const Shape& shape, const IsaRates& rates) {
  return 1e-12 * rates.layout * 8 * Elements(shape);
}

bool IsFunction(int code) {
  switch (code) {
    case kTfLiteBuiltinElu:
    case kTfLiteBuiltinGelu:
    case kTfLiteBuiltinHardSwish:
    case kTfLiteBuiltinLogistic:
    case kTfLiteBuiltinSoftmax:
    case kTfLiteBuiltinTanh:
      return true;
    default:
      return false;
  }
}

Kind KindOf(const NodeView& view, const Shape& output) {
  const int code = view.registration->builtin_code;
  switch (code) {
    case kTfLiteBuiltinFullyConnected:
      // Many rows are pixels, here and there.
      return Elements(output) / output.back() < FullyConnected::kLeastRows ? kMatrix : kPointwise;
    case kTfLiteBuiltinDepthwiseConv2d:
      return kDepthwise;
    case kTfLiteBuiltinConv2d:
    case kTfLiteBuiltinTransposeConv: {
      const std::vector<int> filter = view.constants.ShapeOf(view.context, view.input(1));
      if (AsImages(output).pixels() == 1) return kMatrix;
      return filter.size() == 4 && filter[1] * filter[2] == 1 ? kPointwise : kWindow;
    }
    default:
      return IsFunction(code) ? kFunction : kMove;
  }
}

// Multiply-adds of the dense layer for each output element.
double DenseDepth(const NodeView& view, Kind kind) {
  const std::vector<int> filter = view.constants.ShapeOf(view.context, view.input(1));
  double depth = 1;
  // [outputs, ..., inputs]; depthwise [1, height, width, outputs].
  for (size_t d = 1; d < filter.size(); ++d) depth *= filter[d];
  return kind == kDepthwise ? depth / filter.back() : depth;
}

}  // namespace

Prediction PredictNode(const NodeView& view, const Translation& t,
                       const std::vector<std::shared_ptr<const PackedWeights>>& packed) {
  const bool measured = std::all_of(t.types.begin(), t.types.end(), [](const auto& type) {
    return type.second.element == ElementType::kFloat32;
  });
  if (!measured) return {0, 0, false};
  const IsaRates& rates = RatesOf(view.kernels.isa);
  const Shape output = view.shape(view.node->outputs->data[0]);
  const Kind kind = KindOf(view, output);
  double bytes = 0;
  for (int i : t.inputs) bytes += 4 * Elements(view.shape(i));
  for (int i = 0; i < view.node->outputs->size; ++i) {
    bytes += 4 * Elements(view.shape(view.node->outputs->data[i]));
  }
  double here = 0, stock = 0;
  if (kind == kFunction) {
    here = stock = Elements(output);
  } else if (kind != kMove) {
    here = stock = Elements(output) * DenseDepth(view, kind);
    if (!packed.empty() && here > 0) {
      const ColumnCost& cost = kind == kMatrix ? kOneVectorCost : view.kernels.column_cost;
      here = 0;
      for (const auto& w : packed) {
        const double columns = w->unstructured() ? w->value_count * cost.unstructured_weight +
                                                       w->column_count * cost.unstructured_column
                                                 : w->column_count * cost.of[GroupIndex(w->group)];
        // As if all columns had the widest group: eight multiply-adds a pixel.
        here += Elements(output) / AsImages(output).c * columns * kMaxGroup /
                cost.of[GroupIndex(kMaxGroup)];
      }
    }
  }
  Prediction p;
  if (view.registration->builtin_code == kTfLiteBuiltinFullyConnected && kind == kPointwise) {
    // Rows become a panel, and their results rows again.
    for (const Shape& rows : {view.shape(t.inputs[0]), output}) {
      if (LayoutOf(rows) == Layout::kFlat) p.here += LayoutChange(rows, rates);
    }
  }
  p.here += 1e-9 * (rates.here.node +
                    1e-3 * (here * rates.here.work[kind] + bytes * rates.here.bytes[kind]));
  p.stock = 1e-9 * (rates.stock.node +
                    1e-3 * (stock * rates.stock.work[kind] + bytes * rates.stock.bytes[kind]));
  return p;
}

double PredictLayoutChange(const Shape& shape, const Kernels& kernels) {
  return LayoutOf(shape) == Layout::kFlat ? 0 : LayoutChange(shape, RatesOf(kernels.isa));
}

}  // namespace sbnn
