#include "delegate/file/model.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "delegate/format/flatbuffer.h"
#include "delegate/translation/operators.h"
#include "tensorflow/lite/builtin_ops.h"

namespace sbnn {
namespace {

// Fields of the tables of TensorFlow Lite's schema, version 3.
namespace model_table {
enum { kVersion = 0, kOperatorCodes = 1, kSubgraphs = 2, kBuffers = 4, kSignatures = 7 };
}
namespace code_table {
enum { kOldCode = 0, kCustomName = 1, kVersion = 2, kCode = 3 };
}
namespace subgraph_table {
enum { kTensors = 0, kInputs = 1, kOutputs = 2, kOperators = 3, kName = 4 };
}
namespace tensor_table {
enum { kShape = 0, kType = 1, kBuffer = 2, kName = 3, kQuantization = 4, kIsVariable = 5 };
enum { kSparsity = 6, kSignature = 7 };
}  // namespace tensor_table
namespace quantization_table {
enum { kScale = 2, kZeroPoint = 3, kDimension = 6 };
}
namespace buffer_table {
enum { kData = 0, kOffset = 1, kSize = 2 };
}
namespace sparsity_table {
enum { kTraversal = 0, kBlockMap = 1, kDimensions = 2 };
}
namespace dimension_table {
enum { kFormat = 0, kDenseSize = 1, kSegments = 2, kIndices = 4 };  // a union's type, then it
}
namespace operator_table {
enum { kCode = 0, kInputs = 1, kOutputs = 2, kOptionsType = 3, kOptions = 4 };
}
namespace signature_table {
enum { kInputs = 0, kOutputs = 1, kKey = 2, kSubgraph = 4 };
}
namespace name_table {
enum { kName = 0, kTensor = 1 };
}

constexpr uint32_t kVersion = 3;
constexpr size_t kAlignment = 16;  // of constants: whatever their type
constexpr int64_t kMostElements = int64_t{1} << 40;

struct TypeInfo {
  TfLiteType type;
  int bits;  // of an element; 0: it depends
};

TypeInfo TypeOf(int8_t type) {
  constexpr TypeInfo kTypes[] = {
      {kTfLiteFloat32, 32},   {kTfLiteFloat16, 16}, {kTfLiteInt32, 32},   {kTfLiteUInt8, 8},
      {kTfLiteInt64, 64},     {kTfLiteString, 0},   {kTfLiteBool, 8},     {kTfLiteInt16, 16},
      {kTfLiteComplex64, 64}, {kTfLiteInt8, 8},     {kTfLiteFloat64, 64}, {kTfLiteComplex128, 128},
      {kTfLiteUInt64, 64},    {kTfLiteResource, 0}, {kTfLiteVariant, 0},  {kTfLiteUInt32, 32},
      {kTfLiteUInt16, 16},    {kTfLiteInt4, 4},
  };
  constexpr int kCount = static_cast<int>(sizeof(kTypes) / sizeof(kTypes[0]));
  return type >= 0 && type < kCount ? kTypes[type] : TypeInfo{kTfLiteNoType, 0};
}

// Whatever is in such a tensor is there from the beginning.
bool IsEmpty(const TfLiteTensor& tensor) {
  return std::count(tensor.dims->data, tensor.dims->data + tensor.dims->size, 0) != 0;
}

template <typename T>
void CopyInts(const FlatVector<T>& row, int* ints) {
  for (uint32_t i = 0; i < row.size(); ++i) ints[i] = static_cast<int>(row[i]);
}

template <typename T>
std::vector<int> ToInts(const FlatVector<T>& row) {
  std::vector<int> ints(row.size());
  CopyInts(row, ints.data());
  return ints;
}

}  // namespace

class ModelReader {
 public:
  ModelReader(const Flatbuffer& file, Model* model) : file_(file), model_(*model) {}

  // Finds what is damaged, too.
  void Read() {
    const FlatTable root(&file_, file_.At<uint32_t>(0));
    if (root.Get<uint32_t>(model_table::kVersion) != kVersion) {
      return file_.Damage("version " + std::to_string(root.Get<uint32_t>(model_table::kVersion)) +
                          " of the format, expected " + std::to_string(kVersion));
    }
    codes_ = ChildrenOf(root, model_table::kOperatorCodes);
    buffers_ = ChildrenOf(root, model_table::kBuffers);
    for (const FlatTable& table : ChildrenOf(root, model_table::kSubgraphs)) {
      model_.subgraphs_.push_back(std::make_unique<Subgraph>());
      ReadSubgraph(table, model_.subgraphs_.back().get());
    }
    if (model_.subgraphs_.empty()) return file_.Damage("no graph");
    for (const FlatTable& table : ChildrenOf(root, model_table::kSignatures)) ReadSignature(table);
  }

  static TfLiteStatus GetPlan(TfLiteContext* context, TfLiteIntArray** plan) {
    *plan = static_cast<Subgraph*>(context->impl_)->plan_.get();
    return kTfLiteOk;
  }
  static TfLiteStatus GetNode(TfLiteContext* context, int index, TfLiteNode** node,
                              TfLiteRegistration** registration) {
    auto* const subgraph = static_cast<Subgraph*>(context->impl_);
    if (index < 0 || index >= subgraph->node_count()) return kTfLiteError;
    *node = &subgraph->nodes_[index];
    *registration = &subgraph->registrations_[index];
    return kTfLiteOk;
  }

 private:
  std::vector<FlatTable> ChildrenOf(const FlatTable& parent, int field) {
    const auto row = parent.Vector<uint32_t>(field);
    std::vector<FlatTable> children;
    for (uint32_t i = 0; i < row.size() && !file_.damaged(); ++i) {
      children.push_back(parent.Child(row, i));
    }
    return children;
  }

  TfLiteIntArray* Keep(const std::vector<int>& ints) {
    model_.arrays_.push_back(MakeIntArray(ints));
    return model_.arrays_.back().get();
  }
  template <typename T>
  TfLiteIntArray* Keep(const FlatVector<T>& row) {
    model_.arrays_.push_back(AllocateIntArray(row.size()));
    CopyInts(row, model_.arrays_.back()->data);
    return model_.arrays_.back().get();
  }
  template <typename T>
  T* Keep(std::shared_ptr<T> made) {
    model_.kept_.push_back(made);
    return made.get();
  }
  const char* KeepText(std::string text) {
    return Keep(std::make_shared<std::string>(std::move(text)))->c_str();
  }

  void ReadSubgraph(const FlatTable& table, Subgraph* subgraph) {
    subgraph->name_ = table.Text(subgraph_table::kName);
    for (const FlatTable& t : ChildrenOf(table, subgraph_table::kTensors)) {
      subgraph->tensors_.push_back(ReadTensor(t));
    }
    subgraph->inputs_ = ToInts(table.Vector<int32_t>(subgraph_table::kInputs));
    subgraph->outputs_ = ToInts(table.Vector<int32_t>(subgraph_table::kOutputs));
    for (const FlatTable& t : ChildrenOf(table, subgraph_table::kOperators)) ReadNode(t, subgraph);
    if (!file_.damaged()) CheckOrder(*subgraph);
    std::vector<int> plan(subgraph->nodes_.size());
    for (size_t i = 0; i < plan.size(); ++i) plan[i] = static_cast<int>(i);
    subgraph->plan_ = MakeIntArray(plan);
    TfLiteContext& context = subgraph->context_;
    context.tensors = subgraph->tensors_.data();
    context.tensors_size = subgraph->tensors_.size();
    context.impl_ = subgraph;
    context.GetExecutionPlan = GetPlan;
    context.GetNodeAndRegistration = GetNode;
  }

  TfLiteTensor ReadTensor(const FlatTable& table) {
    TfLiteTensor tensor = {};
    const TypeInfo type = TypeOf(table.Get<int8_t>(tensor_table::kType));
    tensor.type = type.type;
    tensor.name = KeepText(table.Text(tensor_table::kName));
    const std::vector<int> shape = ToInts(table.Vector<int32_t>(tensor_table::kShape));
    const int64_t elements = CountElements(shape);
    tensor.dims = Keep(shape);
    const std::vector<int> signature = ToInts(table.Vector<int32_t>(tensor_table::kSignature));
    if (!signature.empty()) tensor.dims_signature = Keep(signature);
    tensor.is_variable = table.Get<uint8_t>(tensor_table::kIsVariable) != 0;
    ReadQuantization(table.Child(tensor_table::kQuantization), &tensor);
    ReadSparsity(table.Child(tensor_table::kSparsity), &tensor);
    ReadBuffer(table.Get<uint32_t>(tensor_table::kBuffer), &tensor);
    const bool constant = tensor.allocation_type == kTfLiteMmapRo;
    if (!constant) tensor.sparsity = nullptr;  // as TensorFlow Lite has it
    if (constant && tensor.sparsity == nullptr && type.bits != 0 &&
        static_cast<int64_t>(tensor.bytes) != (elements * type.bits + 7) / 8) {
      file_.Damage("constant '" + std::string(tensor.name) + "' of " + std::to_string(elements) +
                   " elements has " + std::to_string(tensor.bytes) + " bytes");
    }
    return tensor;
  }

  int64_t CountElements(const std::vector<int>& shape) {
    int64_t count = 1;
    bool empty = false;
    for (int d : shape) {
      if (d < 0) file_.Damage("a dimension of " + std::to_string(d));
      empty = empty || d == 0;
      if (d > 0 && count > kMostElements / d) file_.Damage("a tensor too large for any memory");
      if (d > 0 && !file_.damaged()) count *= d;
    }
    return empty ? 0 : count;
  }

  void ReadQuantization(const FlatTable& table, TfLiteTensor* tensor) {
    const auto scales = table.Vector<float>(quantization_table::kScale);
    const auto zeros = table.Vector<int64_t>(quantization_table::kZeroPoint);
    if (scales.size() == 0) return;
    if (zeros.size() > 1 && zeros.size() != scales.size()) {
      return file_.Damage(std::to_string(scales.size()) + " scales with " +
                          std::to_string(zeros.size()) + " zero points");
    }
    const auto params = std::make_shared<TfLiteAffineQuantization>();
    const auto values = std::make_shared<std::vector<char>>(sizeof(TfLiteFloatArray) +
                                                            scales.size() * sizeof(float));
    params->scale = reinterpret_cast<TfLiteFloatArray*>(Keep(values)->data());
    params->scale->size = static_cast<int>(scales.size());
    for (uint32_t i = 0; i < scales.size(); ++i) params->scale->data[i] = scales[i];
    std::vector<int> points(scales.size(), zeros.size() == 1 ? static_cast<int>(zeros[0]) : 0);
    if (zeros.size() > 1) points = ToInts(zeros);
    params->zero_point = Keep(points);
    params->quantized_dimension = table.Get<int32_t>(quantization_table::kDimension);
    tensor->params = {scales[0], points[0]};
    tensor->quantization = {kTfLiteAffineQuantization, Keep(params)};
  }

  void ReadSparsity(const FlatTable& table, TfLiteTensor* tensor) {
    if (!table) return;
    const auto sparsity = std::make_shared<TfLiteSparsity>();
    sparsity->traversal_order = Keep(table.Vector<int32_t>(sparsity_table::kTraversal));
    sparsity->block_map = Keep(table.Vector<int32_t>(sparsity_table::kBlockMap));
    const auto levels = std::make_shared<std::vector<TfLiteDimensionMetadata>>();
    for (const FlatTable& t : ChildrenOf(table, sparsity_table::kDimensions)) {
      TfLiteDimensionMetadata level = {};
      level.format =
          t.Get<int8_t>(dimension_table::kFormat) == 1 ? kTfLiteDimSparseCSR : kTfLiteDimDense;
      level.dense_size = t.Get<int32_t>(dimension_table::kDenseSize);
      level.array_segments = ReadIndices(t, dimension_table::kSegments);
      level.array_indices = ReadIndices(t, dimension_table::kIndices);
      levels->push_back(level);
    }
    sparsity->dim_metadata_size = static_cast<int>(levels->size());
    sparsity->dim_metadata = Keep(levels)->data();
    tensor->sparsity = Keep(sparsity);
  }

  // A union of vectors of integers of 32, 16 and 8 bits; null where there is none.
  TfLiteIntArray* ReadIndices(const FlatTable& table, int field) {
    const FlatTable vector = table.Child(field + 1);
    switch (vector ? table.Get<uint8_t>(field) : 0) {
      case 1:
        return Keep(vector.Vector<int32_t>(0));
      case 2:
        return Keep(vector.Vector<uint16_t>(0));
      case 3:
        return Keep(vector.Vector<uint8_t>(0));
      default:
        return nullptr;
    }
  }

  void ReadBuffer(uint32_t index, TfLiteTensor* tensor) {
    tensor->allocation_type = tensor->is_variable ? kTfLiteArenaRwPersistent : kTfLiteArenaRw;
    if (index == 0) return;  // by convention the empty one
    if (index >= buffers_.size()) {
      return file_.Damage("buffer " + std::to_string(index) + " of " +
                          std::to_string(buffers_.size()));
    }
    const FlatTable& buffer = buffers_[index];
    const auto data = buffer.Vector<uint8_t>(buffer_table::kData);
    uint64_t at = data.at(), bytes = data.size();
    const uint64_t offset = buffer.Get<uint64_t>(buffer_table::kOffset);
    if (at == 0 && offset > 1) {
      at = offset;  // behind the flatbuffer, in files of more than 2 GB
      bytes = buffer.Get<uint64_t>(buffer_table::kSize);
    }
    // (A list that is there and empty is a constant, too.)
    if (at == 0 || !file_.Has(at, bytes)) return;
    if (tensor->is_variable)
      file_.Damage("variable '" + std::string(tensor->name) + "' is constant");
    tensor->allocation_type = kTfLiteMmapRo;
    tensor->bytes = static_cast<size_t>(bytes);
    const uint8_t* begin = file_.data() + at;
    if (reinterpret_cast<uintptr_t>(begin) % kAlignment != 0 && file_.Spend(bytes)) {
      // Other writers than TensorFlow's align less.
      const auto copy = std::make_shared<std::vector<Aligned>>(bytes / kAlignment + 1);
      std::memcpy(copy->data(), begin, tensor->bytes);
      begin = reinterpret_cast<const uint8_t*>(Keep(copy)->data());
    }
    tensor->data.raw_const = reinterpret_cast<const char*>(begin);
  }
  struct alignas(kAlignment) Aligned {
    char bytes[kAlignment];
  };

  void ReadNode(const FlatTable& table, Subgraph* subgraph) {
    TfLiteNode node = {};
    TfLiteRegistration registration = {};
    const uint32_t index = table.Get<uint32_t>(operator_table::kCode);
    if (index >= codes_.size()) return file_.Damage("an operator without a code");
    const FlatTable& code = codes_[index];
    registration.builtin_code = std::max<int32_t>(code.Get<int8_t>(code_table::kOldCode),
                                                  code.Get<int32_t>(code_table::kCode));
    registration.version = code.Get<int32_t>(code_table::kVersion, 1);
    if (registration.builtin_code == kTfLiteBuiltinCustom) {
      registration.custom_name = KeepText(code.Text(code_table::kCustomName));
    }
    node.inputs = Keep(table.Vector<int32_t>(operator_table::kInputs));
    node.outputs = Keep(table.Vector<int32_t>(operator_table::kOutputs));
    if (const auto parameters = ReadParameters(registration.builtin_code,
                                               table.Get<uint8_t>(operator_table::kOptionsType),
                                               table.Child(operator_table::kOptions))) {
      node.builtin_data = Keep(parameters);
    }
    subgraph->nodes_.push_back(node);
    subgraph->registrations_.push_back(registration);
  }

  // Every tensor that is named must exist (or be left out, -1, as an input of a node), and be
  // written at most once, before it is read.
  void CheckOrder(const Subgraph& subgraph) {
    const int count = static_cast<int>(subgraph.tensors_.size());
    std::vector<char> there(subgraph.tensors_.size());
    for (int t = 0; t < count; ++t) {
      const TfLiteTensor& tensor = subgraph.tensors_[t];
      there[t] = tensor.allocation_type == kTfLiteMmapRo || tensor.is_variable || IsEmpty(tensor);
    }
    const auto exists = [&](int t) {
      if (t >= 0 && t < count) return true;
      file_.Damage("tensor " + std::to_string(t) + " of " + std::to_string(count));
      return false;
    };
    for (int t : subgraph.inputs_) {
      if (exists(t)) there[t] = true;
    }
    for (const TfLiteNode& node : subgraph.nodes_) {
      for (int i = 0; i < node.inputs->size; ++i) {
        const int t = node.inputs->data[i];
        if (t == -1 || !exists(t)) continue;
        if (!there[t]) file_.Damage("tensor " + std::to_string(t) + " is read before it is made");
      }
      for (int i = 0; i < node.outputs->size; ++i) {
        const int t = node.outputs->data[i];
        if (!exists(t)) continue;
        if (there[t] && !IsEmpty(subgraph.tensors_[t]))
          file_.Damage("tensor " + std::to_string(t) + " is made twice");
        there[t] = true;
      }
      if (file_.damaged()) return;
    }
    for (int t : subgraph.outputs_) {
      if (exists(t) && !there[t]) file_.Damage("output " + std::to_string(t) + " is never made");
    }
  }

  void ReadSignature(const FlatTable& table) {
    Signature signature;
    signature.key = table.Text(signature_table::kKey);
    const uint32_t index = table.Get<uint32_t>(signature_table::kSubgraph);
    if (index >= model_.subgraphs_.size()) return file_.Damage("a signature without a graph");
    signature.subgraph = static_cast<int>(index);
    const auto read = [&](int field, std::vector<Signature::Name>* names) {
      for (const FlatTable& t : ChildrenOf(table, field)) {
        const uint32_t tensor = t.Get<uint32_t>(name_table::kTensor);
        if (tensor >= model_.subgraphs_[index]->tensors_.size()) {
          return file_.Damage("a signature names tensor " + std::to_string(tensor));
        }
        names->push_back({t.Text(name_table::kName), static_cast<int>(tensor)});
      }
    };
    read(signature_table::kInputs, &signature.inputs);
    read(signature_table::kOutputs, &signature.outputs);
    model_.signatures_.push_back(std::move(signature));
  }

  const Flatbuffer& file_;
  Model& model_;
  std::vector<FlatTable> codes_, buffers_;
};

Status Model::Read(const uint8_t* data, size_t size, std::unique_ptr<Model>* model) {
  if (size < 8 || std::memcmp(data + 4, "TFL3", 4) != 0) {
    return Status::Error("no .tflite file: expected \"TFL3\" at byte 4");
  }
  const Flatbuffer file(data, size);
  auto made = std::make_unique<Model>();
  ModelReader(file, made.get()).Read();
  if (file.damaged()) return Status::Error("the file is damaged: " + file.damage());
  *model = std::move(made);
  return Status();
}

}  // namespace sbnn
