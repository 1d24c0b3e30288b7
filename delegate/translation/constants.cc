#include "delegate/translation/constants.h"

#include <cstring>
#include <string>

#include "delegate/translation/int_array.h"
#include "delegate/translation/operators.h"
#include "delegate/translation/types.h"
#include "tensorflow/lite/builtin_ops.h"

namespace sbnn {
namespace {

constexpr size_t kMaxExpanded = size_t{1} << 24;

// Fails where an array is missing that the format needs; Validate() checks what they hold.
Status ReadLevels(const TfLiteSparsity& sparsity, Constant* c) {
  c->traversal = ToVector(sparsity.traversal_order);
  c->block_map = ToVector(sparsity.block_map);
  if (sparsity.dim_metadata == nullptr || sparsity.dim_metadata_size <= 0) {
    return Status::Error("the sparse tensor says nothing about its dimensions");
  }
  for (int i = 0; i < sparsity.dim_metadata_size; ++i) {
    const TfLiteDimensionMetadata& m = sparsity.dim_metadata[i];
    SparseLevel level;
    level.csr = m.format == kTfLiteDimSparseCSR;
    level.dense_size = m.dense_size;
    if (level.csr) {
      if (m.array_segments == nullptr || m.array_indices == nullptr) {
        return Status::Error("a sparse dimension has no segments or no indices");
      }
      level.segments = m.array_segments->data;
      level.segment_count = static_cast<size_t>(m.array_segments->size);
      level.indices = m.array_indices->data;
      level.index_count = static_cast<size_t>(m.array_indices->size);
    }
    c->levels.push_back(level);
  }
  return Status();
}

}  // namespace

Constants::Constants(TfLiteContext* context, const TfLiteIntArray& plan) {
  for (int i = 0; i < plan.size; ++i) {
    TfLiteNode* node;
    TfLiteRegistration* registration;
    if (context->GetNodeAndRegistration(context, plan.data[i], &node, &registration) != kTfLiteOk) {
      continue;
    }
    const int code = registration->builtin_code;
    if (code != kTfLiteBuiltinDensify && code != kTfLiteBuiltinDequantize) continue;
    if (!CheckVersion(code, registration->version).ok()) continue;
    if (node->inputs->size != 1 || node->outputs->size != 1) continue;
    const int in = node->inputs->data[0], out = node->outputs->data[0];
    if (in < 0 || out < 0) continue;  // left out
    const TfLiteTensor& tensor = context->tensors[in];
    const bool file = tensor.allocation_type == kTfLiteMmapRo;
    if (!file && source_.count(in) == 0) continue;
    if (code == kTfLiteBuiltinDequantize && tensor.type != kTfLiteFloat16) continue;
    source_[out] = in;
    unpackers_[plan.data[i]] = out;
  }
}

Status Constants::Read(const TfLiteContext* context, int tensor, Constant* c) const {
  const TfLiteTensor& t = context->tensors[tensor];
  if (!ElementTypeOf(t.type, &c->type)) return Status::Error("values of an unknown type");
  c->shape = ToVector(t.dims);
  if (c->shape.empty()) c->shape = {1};  // a scalar
  c->values = t.data.raw_const;
  c->value_count = t.bytes / BytesOf(c->type);
  Status status = IsFloat(c->type) ? Status() : ReadQuantization(t, &c->quantization);
  if (!status.ok()) return status;
  if (t.sparsity == nullptr) return Validate(*c);
  status = ReadLevels(*t.sparsity, c);
  if (!status.ok()) return status;
  const auto known = checked_.find(tensor);
  return known != checked_.end() ? known->second : checked_[tensor] = Validate(*c);
}

Status Constants::CheckSparse(const TfLiteContext* context) const {
  for (const auto& [unpacked, from] : source_) {
    const TfLiteTensor& t = context->tensors[from];
    ElementType type;
    if (t.sparsity == nullptr || !ElementTypeOf(t.type, &type)) continue;
    Constant c;
    const Status status = Read(context, from, &c);
    if (!status.ok()) {
      return Status::Error("the file is damaged: sparse tensor " + std::to_string(from) + " (" +
                           (t.name == nullptr ? "" : t.name) + "): " + status.message());
    }
  }
  return Status();
}

int Constants::Source(int tensor) const {
  // A chain of DENSIFY and DEQUANTIZE is two long; a longer one would be a cycle.
  for (int steps = 0; steps < 4; ++steps) {
    const auto found = source_.find(tensor);
    if (found == source_.end()) return tensor;
    tensor = found->second;
  }
  return tensor;
}

bool Constants::Has(const TfLiteContext* context, int tensor) const {
  if (tensor < 0) return false;
  return context->tensors[Source(tensor)].allocation_type == kTfLiteMmapRo;
}

std::vector<int> Constants::ShapeOf(const TfLiteContext* context, int tensor) const {
  return ToVector(context->tensors[Source(tensor)].dims);
}

Status Constants::Weights(const TfLiteContext* context, int tensor, TfLiteType one,
                          TfLiteType other, const char* expected, Constant* constant) const {
  if (!Has(context, tensor)) return Status::Error("the weights are not constant");
  const TfLiteTensor& t = context->tensors[Source(tensor)];
  if (t.type != one && t.type != other) {
    return Status::Error(std::string("the weights are not ") + expected);
  }
  Constant c;
  const Status status = Read(context, Source(tensor), &c);
  if (!status.ok()) return Status::Error("unreadable weights: " + status.message());
  *constant = std::move(c);
  return Status();
}

Status Constants::Floats(const TfLiteContext* context, int tensor, Constant* constant) const {
  return Weights(context, tensor, kTfLiteFloat32, kTfLiteFloat16, "floats", constant);
}

Status Constants::Bytes(const TfLiteContext* context, int tensor, Constant* constant) const {
  return Weights(context, tensor, kTfLiteInt8, kTfLiteUInt8, "int8 or uint8", constant);
}

Status Constants::DenseFloats(const TfLiteContext* context, int tensor,
                              std::vector<float>* values) const {
  Constant c;
  const Status status = Floats(context, tensor, &c);
  if (!status.ok()) return status;
  size_t count = 1;
  for (int d : c.shape) count *= static_cast<size_t>(d);
  // A few bytes of sparse tensor may claim gigabytes.
  if (count > kMaxExpanded)
    return Status::Error("a constant of " + std::to_string(count) + " values");
  values->assign(count, 0.0f);
  ForEachStored(c, [&](const int* at, float value) {
    size_t index = 0;
    for (size_t d = 0; d < c.shape.size(); ++d) index = index * c.shape[d] + at[d];
    (*values)[index] = value;
  });
  return Status();
}

Status Constants::Quantized(const TfLiteContext* context, int tensor, Constant* constant) const {
  if (!Has(context, tensor)) return Status::Error("the weights are not constant");
  Constant c;
  const Status status = Read(context, Source(tensor), &c);
  if (!status.ok()) return Status::Error("unreadable weights: " + status.message());
  if (c.type != ElementType::kInt8 && c.type != ElementType::kUint8) {
    return Status::Error(std::string("expected constants of int8 or uint8, found ") +
                         NameOf(c.type));
  }
  if (!c.quantization.quantized()) return Status::Error("constants of int8 without a scale");
  *constant = std::move(c);
  return Status();
}

Status Constants::Expand(const Constant& c, float shift, std::vector<int8_t>* numbers) {
  size_t count = 1;
  for (int d : c.shape) count *= static_cast<size_t>(d);
  if (count > kMaxExpanded) {
    return Status::Error("a constant of " + std::to_string(count) + " values");
  }
  numbers->assign(count, static_cast<int8_t>(shift));
  ForEachStored(c, [&](const int* at, float value) {
    size_t index = 0;
    for (size_t d = 0; d < c.shape.size(); ++d) index = index * c.shape[d] + at[d];
    (*numbers)[index] = static_cast<int8_t>(value + shift);
  });
  return Status();
}

Status Constants::Ints(const TfLiteContext* context, int tensor, std::vector<int>* values) const {
  if (tensor < 0) return Status::Error("a tensor of integers is missing");
  const TfLiteTensor& t = context->tensors[tensor];
  if (t.allocation_type != kTfLiteMmapRo || t.type != kTfLiteInt32 || t.data.raw_const == nullptr) {
    return Status::Error("expected constant 32-bit integers");
  }
  values->resize(t.bytes / sizeof(int32_t));
  std::memcpy(values->data(), t.data.raw_const, values->size() * sizeof(int32_t));
  return Status();
}

}  // namespace sbnn
