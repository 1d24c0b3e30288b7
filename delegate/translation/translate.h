// From a TensorFlow Lite node to an operator of the engine.
#ifndef SBNN_DELEGATE_TRANSLATION_TRANSLATE_H_
#define SBNN_DELEGATE_TRANSLATION_TRANSLATE_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "delegate/engine/op.h"
#include "delegate/engine/ops/int8/binary.h"
#include "delegate/engine/ops/pad.h"
#include "delegate/engine/window.h"
#include "delegate/format/int8_weights.h"
#include "delegate/format/packed_weights.h"
#include "delegate/format/quantization.h"
#include "delegate/format/status.h"
#include "delegate/format/weight_store.h"
#include "delegate/kernels/table.h"
#include "delegate/translation/parameters.h"
#include "delegate/translation/constants.h"
#include "delegate/translation/typical_shapes.h"
#include "tensorflow/lite/c/common.h"

namespace sbnn {

struct NodeView {
  TfLiteContext* context;
  const TfLiteNode* node;
  const TfLiteRegistration* registration;
  const Constants& constants;
  const TypicalShapes& shapes;
  const Kernels& kernels;
  WeightStore& weights;
  std::vector<std::shared_ptr<const PackedWeights>>* packed;  // receives those of the node
  int which = 0;                                              // of the node's outputs

  int input_count() const { return node->inputs->size; }
  int input(int i) const { return i < node->inputs->size ? node->inputs->data[i] : -1; }
  const TfLiteTensor& tensor(int index) const { return context->tensors[index]; }
  Shape shape(int index) const { return shapes.Of(index); }
  // Whether a tensor is of 32-bit integers: the engine knows them when it knows shapes.
  bool numbers(int index) const { return tensor(index).type == kTfLiteInt32; }
  template <typename Params>
  const Params& params() const {
    return *static_cast<const Params*>(node->builtin_data);
  }
};

struct Translation {
  std::unique_ptr<Op> op;
  std::vector<int> inputs;  // the tensors that change from run to run
  int output = -1;
  std::vector<std::pair<int, TensorType>> types;    // of both
  int window = 1;                                   // of a pool or a product: terms of an output
  bool heavy = false;                               // worth a change of layout
  bool dynamic = false;                             // of dynamic range: int8 between floats
  std::shared_ptr<const Int8Weights> int8_weights;  // of a layer of int8

  // Of an input or the output, as the engine has it.
  TensorType type(int tensor) const;
  Quantization quantization(int tensor) const { return type(tensor).quantization; }
  // Whether inputs and output are of int8, or all of uint8.
  bool quantized() const { return type(output).element == ElementType::kInt8; }
};

// A node of several outputs is an operator for each. Fails with the reason for which the node stays
// with TensorFlow Lite.
Status Translate(const NodeView& view, Translation* translation);

// Shared by the translators under ops/.
Status CheckRank(const NodeView& view, int tensor, int rank);  // rank 0: any
Status ReadAxis(int axis, int rank, int* found);               // -1 is the last
Status CheckWindow(const Window& window);  // sizes that no file but a damaged one has
Status ReadClamp(FusedActivation activation, float* lo, float* hi);
Status ReadPadding(const NodeView& view, Padding* padding);  // from the second input
// Of CONV_2D and TRANSPOSE_CONV: OHWI, few enough inputs and taps for packed columns.
Status ReadFilter(const NodeView& view, int input, Constant* filter);
Status ReadBias(const NodeView& view, int input, int channels, std::vector<float>* bias);
// `cost` is what the kernels say, or Structured of it for weights that are to be taken apart, or
// kOneVectorCost.
Status PackWeights(const NodeView& view, const Constant& filter, const std::vector<float>& bias,
                   const ColumnCost& cost, std::shared_ptr<const PackedWeights>* packed);

// A constant operand of a quantized operator, of few elements.
Status ReadOperand(const NodeView& view, int tensor, Int8Binary::Constant* constant);

// The window of a convolution, depthwise or not.
template <typename Params>
Window MakeWindow(const Params& params, int kernel_h, int kernel_w) {
  Window window;
  window.kernel_h = kernel_h;
  window.kernel_w = kernel_w;
  window.stride_h = params.stride_height;
  window.stride_w = params.stride_width;
  window.dilation_h = params.dilation_height;
  window.dilation_w = params.dilation_width;
  window.same = params.padding == PaddingKind::kSame;
  return window;
}

}  // namespace sbnn

#endif  // SBNN_DELEGATE_TRANSLATION_TRANSLATE_H_
