// What JavaScript calls: a module holds one model. All but the texts are numbers and addresses in
// the module's memory; src/exports.ts says the same to TypeScript.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "delegate/build/version.h"
#include "delegate/file/graph.h"
#include "delegate/file/model.h"
#include "delegate/file/session.h"
#include "delegate/report/json.h"
#include "delegate/translation/int_array.h"
#include "delegate/translation/types.h"

#define SBNN_EXPORT(name) extern "C" __attribute__((export_name(#name)))

namespace sbnn {
namespace {

struct Loaded {
  NamedGraph graph;
  std::unique_ptr<Session> session;
  std::vector<Shape> shapes;       // of the inputs,
  std::vector<ElementType> types;  // and what they hold
  // Where JavaScript writes, and where it reads.
  std::vector<std::unique_ptr<char[]>> inputs, outputs;
  std::vector<ConstTensorView> read;
  std::vector<TensorView> written;
};

Loaded loaded;
std::string text;     // the last one asked for
std::string records;  // of reports, a line each

void AddRecord(const char* line, void*) {
  records += line;
  records += '\n';
}

bool Fail(const Status& status) {
  text = status.message();
  return false;
}

Status Load(const uint8_t* bytes, size_t size, const std::string& signature, int threads,
            bool profile) {
  std::unique_ptr<Model> model;
  Status status = Model::Read(bytes, size, &model);
  if (!status.ok()) return status;
  const bool named = signature.empty() && !model->signatures().empty();
  status = ChooseGraph(named ? model->signatures()[0].key : signature, model.get(), &loaded.graph);
  if (!status.ok()) return status;
  Options options;
  options.num_threads = threads;
  options.kernels = FindKernels("");
  Reporter::Targets targets;
  targets.sink = std::make_shared<Sink>(&AddRecord, nullptr);
  targets.profile = profile;
  status = Reporter::Open(targets, &options.reporter);
  if (!status.ok()) return status;
  options.reporter->Send(EngineRecord{SBNN_VERSION, options.kernels->isa, threads, false});
  status = Session::Make(model.get(), loaded.graph.number, options, &loaded.session);
  if (!status.ok()) return status;
  const Subgraph& graph = model->subgraph(loaded.graph.number);
  for (size_t i = 0; i < graph.inputs().size(); ++i) {
    const TfLiteTensor& input = graph.tensor(graph.inputs()[i]);
    ElementType type;
    if (!ElementTypeOf(input.type, &type)) {
      return Status::Error("input '" + loaded.graph.inputs[i] +
                           "': expected float32, int8 or uint8, found another type");
    }
    loaded.shapes.push_back(ToVector(input.dims));
    loaded.types.push_back(type);
  }
  return Status();
}

Status Resize(const std::vector<Shape>& shapes) {
  // (The old ones make room first.)
  loaded.inputs.clear();
  loaded.outputs.clear();
  loaded.read.clear();
  loaded.written.clear();
  const Status status = loaded.session->Prepare(shapes);
  if (!status.ok()) return status;
  loaded.shapes = shapes;
  for (size_t i = 0; i < shapes.size(); ++i) {
    loaded.inputs.emplace_back(new char[ElementCount(shapes[i]) * BytesOf(loaded.types[i])]);
    loaded.read.emplace_back(loaded.inputs.back().get(), loaded.types[i]);
  }
  for (size_t i = 0; i < loaded.graph.outputs.size(); ++i) {
    const ElementType type = loaded.session->output_type(i);
    loaded.outputs.emplace_back(
        new char[ElementCount(loaded.session->output_shape(i)) * BytesOf(type)]);
    loaded.written.emplace_back(loaded.outputs.back().get(), type);
  }
  return status;
}

}  // namespace
}  // namespace sbnn

using sbnn::loaded;

SBNN_EXPORT(sbnn_allocate) void* sbnn_allocate(size_t bytes) { return std::malloc(bytes); }

SBNN_EXPORT(sbnn_free) void sbnn_free(void* memory) { std::free(memory); }

// The text that the last call left: of one that returned 0, the error. Ends with a zero.
SBNN_EXPORT(sbnn_text) const char* sbnn_text() { return sbnn::text.c_str(); }

// Reads a file of `size` bytes that sbnn_allocate made room for, and frees it; `signature` is a
// text that ends with a zero, "": the first. Returns 0 where that fails.
SBNN_EXPORT(sbnn_load)
int sbnn_load(uint8_t* bytes, size_t size, const char* signature, int threads, int profile) {
  const sbnn::Status status = sbnn::Load(bytes, size, signature, threads, profile != 0);
  std::free(bytes);
  return status.ok() || sbnn::Fail(status);
}

// Plans for shapes of all inputs: of each its rank and its dimensions, in a row; null: those of the
// file. Returns 0 where that fails: then it has to be called again before sbnn_run.
SBNN_EXPORT(sbnn_resize) int sbnn_resize(const int32_t* dims) {
  std::vector<sbnn::Shape> shapes = loaded.shapes;
  for (size_t i = 0; dims != nullptr && i < shapes.size(); ++i) {
    const int32_t rank = *dims++;
    shapes[i].assign(dims, dims + rank);
    dims += rank;
  }
  const sbnn::Status status = sbnn::Resize(shapes);
  return status.ok() || sbnn::Fail(status);
}

// Inputs, then outputs, in a text: for each a line of JSON with its name,
// shape and type.
SBNN_EXPORT(sbnn_describe) void sbnn_describe() {
  sbnn::text.clear();
  const auto add = [](const char* kind, const std::string& name, const sbnn::Shape& shape,
                      sbnn::ElementType type) {
    sbnn::JsonObject json;
    json.Text("kind", kind);
    json.Text("name", name);
    json.Integers("shape", shape);
    json.Text("type", sbnn::NameOf(type));
    sbnn::text += json.Line() + '\n';
  };
  for (size_t i = 0; i < loaded.shapes.size(); ++i) {
    add("input", loaded.graph.inputs[i], loaded.shapes[i], loaded.types[i]);
  }
  for (size_t i = 0; i < loaded.outputs.size(); ++i) {
    add("output", loaded.graph.outputs[i], loaded.session->output_shape(i),
        loaded.session->output_type(i));
  }
}

SBNN_EXPORT(sbnn_input) void* sbnn_input(int i) { return loaded.inputs[i].get(); }

SBNN_EXPORT(sbnn_output) const void* sbnn_output(int i) { return loaded.outputs[i].get(); }

// Returns 0 where that fails.
SBNN_EXPORT(sbnn_run) int sbnn_run() {
  const sbnn::Status status = loaded.session->Run(loaded.read, loaded.written);
  return status.ok() || sbnn::Fail(status);
}

// The records (delegate/report/README.md) since the last call, as a text of lines; with a profile
// of all runs, if one was asked for.
SBNN_EXPORT(sbnn_records) void sbnn_records(int profile) {
  if (profile != 0) loaded.session->SendProfile();
  sbnn::text.swap(sbnn::records);
  sbnn::records.clear();
}
