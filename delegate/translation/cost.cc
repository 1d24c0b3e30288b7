#include "delegate/translation/cost.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <string>

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__)
#include <sys/auxv.h>

#include "delegate/kernels/arm_cpu.h"
#endif

#include "delegate/engine/ops/fully_connected.h"
#include "delegate/kernels/int8/table.h"
#include "delegate/translation/operators.h"
#include "delegate/translation/translate.h"

namespace sbnn {
namespace {

enum Kind {
  kPointwise,  // 1x1 convolutions
  kWindow,     // other convolutions
  kMatrix,     // fully connected layers and convolutions of one pixel, whose weights are near;
  kFarMatrix,  // and whose weights no L2 cache keeps
  kDepthwise,
  kFunction,  // a function of each element that takes more than a few operations
  kPool,
  kMove,  // everything else goes as fast as memory
  kKinds,
};

// Nanoseconds for a thousand units of work, and for a thousand bytes of activations read or
// written. Here the work of a convolution is counted in multiply-adds of kept columns, weighted by
// how well a group of their width runs; in TensorFlow Lite in those of the dense layer. The work of
// a kFunction is its elements, that of a kPool what its windows contain.
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

// One row an instruction set, as printed by `python -m delegate.bench.fit` on a CPU that has no
// better one and, of ARM's, by `python -m delegate.bench.arm.rates`. Only the ratios of times
// decide, so that a row serves every processor whose XNNPACK uses the same instruction set.
constexpr IsaRates kRates[] = {
#include "delegate/translation/cost_table.inl.h"
#include "delegate/translation/cost_table_arm.inl.h"
};

// The same of quantized layers, `python -m delegate.bench.fit --int8`: "avx512 amx" where XNNPACK
// has tiles to multiply with, "avx512" where it has VNNI, and "avx2 without vnni" where it has
// neither. Of ARM's, `python -m delegate.bench.arm.int8_rates`: "neon i8mm" where it has products
// of matrices, "neon" where it has those of four bytes, and "neon without dot" where it has
// neither.
constexpr IsaRates kInt8Rates[] = {
#include "delegate/translation/cost_table_int8.inl.h"
#include "delegate/translation/cost_table_int8_arm.inl.h"
};

template <size_t N>
const IsaRates* Find(const IsaRates (&table)[N], const char* isa) {
  for (const IsaRates& rates : table) {
    if (std::strcmp(rates.isa, isa) == 0) return &rates;
  }
  return nullptr;
}

const IsaRates* FindRates(const Kernels& kernels) {
  const std::string core = kernels.in_order ? " in order" : "";
  const IsaRates* const found = Find(kRates, (kernels.isa + core).c_str());
  return found != nullptr ? found : Find(kRates, kernels.isa);
}

// (WebAssembly's kernels have none; there all is claimed.)
const IsaRates& RatesOf(const Kernels& kernels) {
  const IsaRates* const found = FindRates(kernels);
  return found != nullptr ? *found : kRates[0];
}

// TensorFlow Lite uses what the CPU has, whatever was asked for here.
const Rates& StockRates() { return RatesOf(*AvailableKernels().front()).stock; }

// What the weights of a kMatrix take at most.
constexpr double kNearBytes = 1 << 20;

// XNNPACK's product of floats with one row, of weights that are far away: where the outputs are no
// multiple of these, all of it takes so many times as long (AVX-512, 2026: 66 to 70 ps a
// multiply-add against 42 to 45).
constexpr int kRaggedOutputs = 32;
constexpr double kRagged = 1.6;

double StockFactor(Kind kind, double rows, int outputs) {
  const bool found = std::string(AvailableKernels().front()->isa) == "avx512";
  return found && kind == kFarMatrix && rows == 1 && outputs % kRaggedOutputs != 0 ? kRagged : 1;
}

// What XNNPACK multiplies bytes with, as rows are named by it.
const char* ProductsOfBytes() {
#if defined(__x86_64__)
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  constexpr unsigned kTiles = 1u << 24, kInt8Tiles = 1u << 25, kAvx512Vnni = 1u << 11;
  if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) == 0) return "";
  if ((edx & kTiles) != 0 && (edx & kInt8Tiles) != 0) return " amx";
  const bool vnni = (ecx & kAvx512Vnni) != 0;
  constexpr unsigned kAvxVnni = 1u << 4;
  if (vnni || (__get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) != 0 && (eax & kAvxVnni) != 0)) {
    return "";
  }
  return " without vnni";
#elif defined(__aarch64__)
  if (HasByteMatrices(getauxval(AT_HWCAP2))) return " i8mm";
  return HasDotProducts(getauxval(AT_HWCAP)) ? "" : " without dot";
#else
  return " without dot";  // (Of 32-bit ARM: as if stock had none either.)
#endif
}

// Null: nobody has measured it.
const IsaRates* Int8RatesOf(const Kernels& kernels) {
  static const std::string products = ProductsOfBytes();
  const std::string isa = kernels.isa, core = kernels.in_order ? " in order" : "";
  // (AVX-512 without VNNI was not measured: as if stock had it. Nor was a small core with i8mm: as
  // a big one.)
  for (const std::string& name : {isa + core + products, isa + products, isa}) {
    if (const IsaRates* const found = Find(kInt8Rates, name.c_str())) return found;
  }
  return nullptr;
}

// Seconds that a plane of four channels takes in a pool of int8 beside its elements, measured from
// 7 x 7 to 28 x 28 (Zen 4, 2026): its rows are many short loops.
constexpr double kInt8PoolPlane = 1e-7;

double Elements(const Shape& shape) { return static_cast<double>(ElementCount(shape)); }

// Seconds: each element, of so many bytes, is read and written. What no L2 cache keeps takes longer
// (3.2 MB on Zen 4: 95 ps a byte, half as much where it is less).
double LayoutChange(const Shape& shape, int bytes, const IsaRates& rates) {
  constexpr double kFar = 2.2;
  const double size = bytes * Elements(shape);
  return 1e-12 * rates.layout * 2 * size * (size > 2 * kNearBytes ? kFar : 1);
}

Kind KindOf(const NodeView& view, const Shape& output) {
  switch (FindOperator(view.registration->builtin_code)->work) {
    case Work::kMatrix:
      // Many rows are pixels, here and there.
      return Elements(output) / output.back() < FullyConnected::kLeastRows ? kMatrix : kPointwise;
    case Work::kProduct:
      return kPointwise;
    case Work::kDepthwise:
      return kDepthwise;
    case Work::kFunction:
      return kFunction;
    case Work::kPool:
      return kPool;
    case Work::kConvolution: {
      const std::vector<int> filter = view.constants.ShapeOf(view.context, view.input(1));
      if (AsImages(output).pixels() == 1) return kMatrix;
      return filter.size() == 4 && filter[1] * filter[2] == 1 ? kPointwise : kWindow;
    }
    case Work::kMove:
      break;
  }
  return kMove;
}

// Multiply-adds of the dense layer for each output element.
double DenseDepth(const NodeView& view, Kind kind) {
  const std::vector<int> filter = view.constants.ShapeOf(view.context, view.input(1));
  double depth = 1;
  // [outputs, ..., inputs]; depthwise [1, height, width, outputs].
  for (size_t d = 1; d < filter.size(); ++d) depth *= filter[d];
  return kind == kDepthwise ? depth / filter.back() : depth;
}

// Multiply-adds for each output pixel, as if all columns had the widest group: eight each.
double KeptWork(const PackedWeights& w, const ColumnCost& cost) {
  const double columns = w.unstructured() ? w.value_count * cost.unstructured_weight +
                                                w.column_count * cost.unstructured_column
                                          : w.column_count * cost.of[GroupIndex(w.group)];
  return columns * kMaxGroup / cost.of[GroupIndex(kMaxGroup)];
}

// The same of int8, as if all steps were blocks of four outputs: sixteen each.
double KeptWork(const Int8Weights& w, const Int8Cost& cost) {
  const int g = int8::GroupIndex(w.group);
  const double step = w.columns != 0 ? cost.columns[g] : cost.blocks[g];
  return w.steps * step * kQuad * kQuad / cost.blocks[int8::GroupIndex(kQuad)];
}

// Of dynamic range, what rounding floats and making floats of sums takes more than layers of int8
// do, for each byte of floats and in times of what a change of layout takes for it: here and in
// XNNPACK; and of depthwise layers, which TensorFlow Lite's own kernel computes, all that these
// take there. (AMD EPYC with AVX-512, 2026-12-01: MobileNet-v1's layers. TensorFlow Lite rounds
// slowly on x86; on ARM, where nobody has measured it, as if it took what XNNPACK takes.)
constexpr double kRounding = 0.2, kRoundingThere = 0.16, kRoundingDepthwise = 0.22;
#if defined(__x86_64__)
constexpr double kDepthwiseThere = 1.08;
#else
constexpr double kDepthwiseThere = 0.16;
#endif
constexpr double kDepthwiseWorkThere = 10;

// Turns what layers of int8, or depthwise ones of floats, are predicted to take into that.
void AddRounding(double bytes, double depthwise_work, const IsaRates& rates, Prediction* p) {
  const double byte = 1e-12 * rates.layout * bytes;
  if (depthwise_work == 0) {
    p->here += kRounding * byte;
    p->stock += kRoundingThere * byte;
    return;
  }
  p->here += kRoundingDepthwise * byte;
  p->stock = 1e-9 * rates.stock.node + kDepthwiseThere * byte +
             1e-12 * kDepthwiseWorkThere * depthwise_work;
}

Kind MatrixOf(double bytes) { return bytes <= kNearBytes ? kMatrix : kFarMatrix; }

}  // namespace

Prediction PredictNode(const NodeView& view, const Translation& t,
                       const std::vector<std::shared_ptr<const PackedWeights>>& packed) {
  const bool depthwise = FindOperator(view.registration->builtin_code)->work == Work::kDepthwise;
  const bool of_floats = std::all_of(t.types.begin(), t.types.end(), [](const auto& type) {
    return type.second.element == ElementType::kFloat32;
  });
  const bool floats = of_floats && (!t.dynamic || depthwise);
  const IsaRates* const found = floats ? &RatesOf(view.kernels) : Int8RatesOf(view.kernels);
  const IsaRates* const rounding = t.dynamic ? Int8RatesOf(view.kernels) : found;
  if (found == nullptr || rounding == nullptr) return {0, 0, false};
  const IsaRates& rates = *found;
  const Rates& there = floats ? StockRates() : rates.stock;
  const Shape output = view.shape(view.node->outputs->data[0]);
  Kind kind = KindOf(view, output);
  const auto bytes_of = [&](int tensor) {
    const bool quantized = t.type(tensor).element == ElementType::kInt8;
    return (quantized || (t.dynamic && !floats) ? 1 : 4) * Elements(view.shape(tensor));
  };
  double bytes = 0;
  for (int i : t.inputs) bytes += bytes_of(i);
  for (int i = 0; i < view.node->outputs->size; ++i) bytes += bytes_of(view.node->outputs->data[i]);
  double here = 0, stock = 0;
  Kind kind_here = kind;
  const Work work = FindOperator(view.registration->builtin_code)->work;
  if (kind == kFunction || kind == kPool || work == Work::kProduct) {
    here = stock = Elements(output) * t.window;
  } else if (kind != kMove) {
    here = stock = Elements(output) * DenseDepth(view, kind);
    const double pixels = Elements(output) / AsImages(output).c;
    // (Depthwise ones with several outputs of a channel are convolutions here.)
    if (t.int8_weights != nullptr && kind == kDepthwise) kind_here = kWindow;
    if (t.int8_weights != nullptr && here > 0) {
      const Int8Cost& cost = int8::KernelsOf(view.kernels.isa)->cost;
      // (A larger window with one pixel of output is packed by the kernels' cost, in kinds of steps
      // that rows may have no price for.)
      const double row =
          kind == kMatrix && pixels == 1 ? KeptWork(*t.int8_weights, kInt8VectorCost) : 0;
      here = row > 0 ? row : pixels * KeptWork(*t.int8_weights, cost);
      if (kind == kMatrix) kind_here = MatrixOf(16.0 * t.int8_weights->steps);
    } else if (!packed.empty() && here > 0) {
      const ColumnCost& cost = kind == kMatrix ? kOneVectorCost : view.kernels.column_cost;
      here = 0;
      double kept = 0;
      for (const auto& w : packed) {
        here += pixels * KeptWork(*w, cost);
        kept += 4.0 * w->value_count;
      }
      if (kind == kMatrix) kind_here = MatrixOf(kept);
    }
    if (kind == kMatrix) {
      const double dense = DenseDepth(view, kind) * output.back() * (floats ? 4 : 1);
      if (kind_here == kMatrix && packed.empty() && t.int8_weights == nullptr) {
        kind_here = MatrixOf(dense);
      }
      kind = MatrixOf(dense);
      if (floats) stock *= StockFactor(kind, Elements(output) / output.back(), output.back());
    }
  }
  Prediction p;
  // Rows become a panel, and their results rows again.
  const bool rows_are_pixels = work == Work::kMatrix && kind == kPointwise;
  for (const Shape& rows : {view.shape(t.inputs[0]), output}) {
    if (work == Work::kProduct || (rows_are_pixels && LayoutOf(rows) == Layout::kFlat)) {
      p.here += LayoutChange(rows, of_floats ? 4 : 1, rates);
    }
  }
  if (kind == kPool && !floats) {
    p.here += kInt8PoolPlane * AsImages(output).n * ((AsImages(output).c + kQuad - 1) / kQuad);
  }
  p.here += 1e-9 * (rates.here.node + 1e-3 * (here * rates.here.work[kind_here] +
                                              bytes * rates.here.bytes[kind_here]));
  p.stock = 1e-9 * (there.node + 1e-3 * (stock * there.work[kind] + bytes * there.bytes[kind]));
  if (t.dynamic) AddRounding(floats ? bytes : 4 * bytes, depthwise ? stock : 0, *rounding, &p);
  return p;
}

bool HasRates(const Kernels& kernels) { return FindRates(kernels) != nullptr; }

bool HasInt8Rates(const Kernels& kernels) { return Int8RatesOf(kernels) != nullptr; }

double PredictLayoutChange(const Shape& shape, bool quantized, const Kernels& kernels) {
  if (LayoutOf(shape) == Layout::kFlat) return 0;
  const IsaRates* const found = quantized ? Int8RatesOf(kernels) : nullptr;
  return LayoutChange(shape, quantized ? 1 : 4, found != nullptr ? *found : RatesOf(kernels));
}

}  // namespace sbnn
