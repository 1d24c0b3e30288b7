#include "delegate/translation/translate.h"

#include <limits>

#include "delegate/translation/int_array.h"
#include "delegate/translation/operators.h"
#include "delegate/translation/types.h"

namespace sbnn {
namespace {

// A few bytes of sparse filter may claim billions.
constexpr int kMaxChannels = 1 << 24;

// Of a tensor that the engine can hold.
Status AddType(const NodeView& view, int tensor, Translation* t) {
  TensorType type;
  Status status = ReadType(view.tensor(tensor), &type);
  if (!status.ok()) return status;
  if (type.element == ElementType::kFloat16 || type.element == ElementType::kInt32) {
    return Status::Error(std::string("expected float32, int8 or uint8, found ") +
                         NameOf(type.element));
  }
  t->types.emplace_back(tensor, type);
  return CheckRank(view, tensor, 0);
}

Status CheckTypes(const Operator& row, const Translation& t) {
  for (const auto& [tensor, type] : t.types) {
    if (row.types == Types::kFloats && type.element != ElementType::kFloat32) {
      return Status::Error(std::string("expected float32, found ") + NameOf(type.element));
    }
    if (row.types == Types::kQuantized && type.element != t.types[0].second.element) {
      return Status::Error(std::string("inputs and output of different types, ") +
                           NameOf(t.types[0].second.element) + " and " + NameOf(type.element));
    }
    if (row.types == Types::kMoved && type != t.types[0].second) {
      return Status::Error("inputs and output of different types or scales");
    }
  }
  return Status();
}

}  // namespace

Status Translate(const NodeView& view, Translation* translation) {
  const Operator* const row = FindOperator(view.registration->builtin_code);
  if (row == nullptr || row->translate == nullptr) {
    return Status::Error("the operator is not supported");
  }
  if (row->read != nullptr && view.node->builtin_data == nullptr) {
    return Status::Error("the operator's parameters are missing");
  }
  if (view.node->outputs->size != 1 && !row->many_outputs) {
    return Status::Error("expected one output");
  }
  if (view.which >= view.node->outputs->size) return Status::Error("expected an output");
  translation->output = view.node->outputs->data[view.which];
  if (translation->output < 0) return Status::Error("the output is missing");
  size_t found = 0;
  for (int i = 0; i < view.input_count(); ++i) {
    const int tensor = view.input(i);
    if (tensor < 0 || view.constants.Has(view.context, tensor)) continue;
    translation->inputs.push_back(tensor);
    ++found;
    if (i < 32 && (row->numbers_in >> i & 1) != 0 && view.numbers(tensor)) continue;
    const Status status = AddType(view, tensor, translation);
    if (!status.ok()) return status;
  }
  if (found == 0) return Status::Error("no input changes from run to run");
  if (found > static_cast<size_t>(row->most_inputs)) {
    return Status::Error("expected constants in all but " + std::to_string(row->most_inputs) +
                         " inputs, found " + std::to_string(found) + " that are not constant");
  }
  if (!row->numbers_out || !view.numbers(translation->output)) {
    const Status status = AddType(view, translation->output, translation);
    if (!status.ok()) return status;
  }
  const Status status = CheckTypes(*row, *translation);
  return status.ok() ? row->translate(view, translation) : status;
}

TensorType Translation::type(int tensor) const {
  for (const auto& [t, type] : types) {
    if (t == tensor) return Inside(type);
  }
  return TensorType();
}

Status CheckRank(const NodeView& view, int index, int rank) {
  const TfLiteTensor& tensor = view.tensor(index);
  if (tensor.sparsity != nullptr) return Status::Error("an activation is sparse");
  const int found = tensor.dims == nullptr ? 0 : tensor.dims->size;
  if (rank != 0 && found != rank) {
    return Status::Error("expected " + std::to_string(rank) + " dimensions, found " +
                         std::to_string(found));
  }
  if (found < 1) return Status::Error("a scalar, or a tensor of unknown rank");
  return Status();
}

Status ReadAxis(int axis, int rank, int* found) {
  *found = axis < 0 ? axis + rank : axis;
  if (*found >= 0 && *found < rank) return Status();
  return Status::Error("axis " + std::to_string(axis) + " of " + std::to_string(rank) +
                       " dimensions");
}

Status CheckWindow(const Window& w) {
  constexpr int kMost = 1024;
  for (int size : {w.kernel_h, w.kernel_w, w.stride_h, w.stride_w, w.dilation_h, w.dilation_w}) {
    if (size < 1 || size > kMost) {
      return Status::Error("expected kernel, stride and dilation from 1 to " +
                           std::to_string(kMost) + ", found " + std::to_string(size));
    }
  }
  return Status();
}

Status ReadClamp(FusedActivation activation, float* lo, float* hi) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  switch (activation) {
    case FusedActivation::kNone:
      *lo = -kInfinity;
      *hi = kInfinity;
      return Status();
    case FusedActivation::kRelu:
      *lo = 0;
      *hi = kInfinity;
      return Status();
    case FusedActivation::kReluN1To1:
      *lo = -1;
      *hi = 1;
      return Status();
    case FusedActivation::kRelu6:
      *lo = 0;
      *hi = 6;
      return Status();
    default:
      return Status::Error("fused activation " + std::to_string(static_cast<int>(activation)) +
                           " is not supported");
  }
}

Status ReadPadding(const NodeView& view, Padding* padding) {
  std::vector<int> pairs;
  const Status status = view.constants.Ints(view.context, view.input(1), &pairs);
  if (!status.ok()) return Status::Error("paddings: " + status.message());
  for (size_t i = 0; i + 1 < pairs.size(); i += 2) {
    padding->before.push_back(pairs[i]);
    padding->after.push_back(pairs[i + 1]);
  }
  Shape padded;
  return padding->InferShape(view.shape(view.input(0)), &padded);
}

Status ReadFilter(const NodeView& view, int input, Constant* filter) {
  const Status status = view.constants.Floats(view.context, view.input(input), filter);
  if (!status.ok()) return status;
  const std::vector<int>& shape = filter->shape;
  if (shape.size() != 4) return Status::Error("a filter without 4 dimensions");
  if (static_cast<int64_t>(shape[1]) * shape[2] * shape[3] > 65536) {
    return Status::Error("a filter of more than 65536 inputs and taps");
  }
  return Status();
}

Status ReadBias(const NodeView& view, int input, int channels, std::vector<float>* bias) {
  bias->clear();
  if (channels > kMaxChannels) return Status::Error(std::to_string(channels) + " channels");
  if (view.input(input) < 0) {
    bias->assign(channels, 0.0f);
    return Status();
  }
  const Status status = view.constants.DenseFloats(view.context, view.input(input), bias);
  if (!status.ok()) return Status::Error("bias: " + status.message());
  if (static_cast<int>(bias->size()) != channels) {
    return Status::Error("a bias of " + std::to_string(bias->size()) + " values for " +
                         std::to_string(channels) + " channels");
  }
  return Status();
}

Status ReadOperand(const NodeView& view, int tensor, Int8Binary::Constant* constant) {
  Constant c;
  Status status = view.constants.Quantized(view.context, tensor, &c);
  if (!status.ok()) return status;
  if (c.quantization.scales.size() != 1) {
    return Status::Error("an operand with " + std::to_string(c.quantization.scales.size()) +
                         " scales");
  }
  const TensorType type =
      Inside({c.type, {c.quantization.scales[0], c.quantization.zero_points[0]}});
  constant->quantization = type.quantization;
  constant->shape = ToVector(view.tensor(tensor).dims);
  // Inside, zeros of uint8 are -128.
  const int shift = type.quantization.zero_point - c.quantization.zero_points[0];
  return view.constants.Expand(c, static_cast<float>(shift), &constant->numbers);
}

Status PackWeights(const NodeView& view, const Constant& filter, const std::vector<float>& bias,
                   const ColumnCost& cost, std::shared_ptr<const PackedWeights>* packed) {
  const Status status = view.weights.Get(filter, bias, cost, view.kernels.isa, packed);
  if (status.ok()) view.packed->push_back(*packed);
  return status;
}

}  // namespace sbnn
