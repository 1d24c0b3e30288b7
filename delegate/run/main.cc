// Runs a .tflite file without TensorFlow: on this machine, under an emulator, on a phone over adb.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "delegate/file/graph.h"
#include "delegate/file/model.h"
#include "delegate/file/session.h"
#include "delegate/run/npy.h"
#include "delegate/translation/int_array.h"
#include "delegate/translation/options.h"
#include "delegate/translation/types.h"

namespace sbnn {
namespace {

constexpr char kUsage[] =
    R"(usage: sbnn_run MODEL.tflite [OPTION]...

Runs a graph of the file whole in SparseByteNN's engine, and prints its outputs' shapes and the time
of a run. A file that it can't run whole is refused, with every node that stands in the way.

  --input NAME=FILE.npy     an input, of the type that it has in the file, as numpy.save writes it. NAME is its name or position.
                            Inputs that are not given are random numbers, the same each time.
  --shape NAME=1,224,224,3  the shape of an input that is not given (default: the file's)
  --output-dir FOLDER       write the outputs there: 0.npy, 1.npy, ...
  --signature KEY           run the graph of this signature; inputs have the names that it gives
  --rounds N                time N runs behind a first one: least and median (default: 10)
  --list                    print inputs, outputs and signatures, and run nothing
  --OPTION=VALUE            an option of the delegate: --num_threads=4 --isa=neon --allow_fp16=1
                            --explain=1 --profile=1 --report=FILE --cache_path=FILE
  --help                    this
)";

struct Arguments {
  std::string model, signature, output_dir;
  std::vector<std::pair<std::string, std::string>> inputs, shapes;  // name, and what it gets
  int rounds = 10;
  bool list = false, help = false;
  std::vector<std::string> keys, values;  // of the delegate's options
};

Status SplitPair(const std::string& option, const std::string& text,
                 std::vector<std::pair<std::string, std::string>>* pairs) {
  const size_t at = text.find('=');
  if (at == std::string::npos || at == 0) {
    return Status::Error(option + ": expected NAME=..., found '" + text + "'");
  }
  pairs->emplace_back(text.substr(0, at), text.substr(at + 1));
  return Status();
}

Status ParseCount(const std::string& option, const std::string& text, int* count) {
  char* end = nullptr;
  const long value = std::strtol(text.c_str(), &end, 10);
  if (text.empty() || *end != '\0' || value < 0 || value > 1000000) {
    return Status::Error(option + ": expected a number from 0 to 1000000, found '" + text + "'");
  }
  *count = static_cast<int>(value);
  return Status();
}

Status Parse(int argc, char** argv, Arguments* a) {
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--help" || word == "-h") {
      a->help = true;
    } else if (word == "--list") {
      a->list = true;
    } else if (word == "--input" || word == "--shape" || word == "--output-dir" ||
               word == "--signature" || word == "--rounds") {
      if (i + 1 == argc) return Status::Error(word + ": expected a value behind it");
      const std::string value = argv[++i];
      Status status;
      if (word == "--input") status = SplitPair(word, value, &a->inputs);
      if (word == "--shape") status = SplitPair(word, value, &a->shapes);
      if (word == "--rounds") status = ParseCount(word, value, &a->rounds);
      if (word == "--output-dir") a->output_dir = value;
      if (word == "--signature") a->signature = value;
      if (!status.ok()) return status;
    } else if (word.rfind("--", 0) == 0) {
      const size_t at = word.find('=');
      if (at == std::string::npos) {
        return Status::Error("unknown option " + word + "; --help tells those that there are");
      }
      a->keys.push_back(word.substr(2, at - 2));
      a->values.push_back(word.substr(at + 1));
    } else if (a->model.empty()) {
      a->model = word;
    } else {
      return Status::Error("expected one model, found " + a->model + " and " + word);
    }
  }
  if (a->model.empty() && !a->help) return Status::Error("expected a model; --help tells more");
  return Status();
}

Status ReadFile(const std::string& path, std::vector<char>* bytes) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Status::Error(path + ": can't be read");
  bytes->assign(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  return Status();
}

Status ToOptions(const Arguments& a, Options* options) {
  std::vector<const char*> keys, values;
  for (const std::string& key : a.keys) keys.push_back(key.c_str());
  for (const std::string& value : a.values) values.push_back(value.c_str());
  return ParseOptions(keys.data(), values.data(), keys.size(), options);
}

std::string ToString(const Shape& shape) {
  std::string text;
  for (int d : shape) text += (text.empty() ? "" : ",") + std::to_string(d);
  return "[" + text + "]";
}

void List(const Subgraph& of, const NamedGraph& graph, const Model& model) {
  for (size_t i = 0; i < graph.inputs.size(); ++i) {
    std::printf("input %zu  %s  %s\n", i, graph.inputs[i].c_str(),
                ToString(ToVector(of.tensor(of.inputs()[i]).dims)).c_str());
  }
  for (size_t i = 0; i < graph.outputs.size(); ++i) {
    std::printf("output %zu  %s  %s\n", i, graph.outputs[i].c_str(),
                ToString(ToVector(of.tensor(of.outputs()[i]).dims)).c_str());
  }
  for (const Signature& s : model.signatures()) std::printf("signature  %s\n", s.key.c_str());
}

// The input that a user names, by name or position.
Status Find(const std::string& name, const NamedGraph& graph, size_t* found) {
  const auto at = std::find(graph.inputs.begin(), graph.inputs.end(), name);
  *found = static_cast<size_t>(at - graph.inputs.begin());
  if (at != graph.inputs.end()) return Status();
  char* end = nullptr;
  const unsigned long position = std::strtoul(name.c_str(), &end, 10);
  if (*end == '\0' && position < graph.inputs.size()) {
    *found = position;
    return Status();
  }
  std::string known;
  for (const std::string& n : graph.inputs) known += known.empty() ? n : ", " + n;
  return Status::Error("no input '" + name + "'; there are: " + known);
}

Status ParseShape(const std::string& text, Shape* shape) {
  shape->clear();
  const char* at = text.c_str();
  while (true) {
    char* end = nullptr;
    const long size = std::strtol(at, &end, 10);
    if (end == at || size < 1 || size > 1 << 24 || (*end != ',' && *end != '\0')) {
      return Status::Error("--shape: expected sizes such as 1,224,224,3, found '" + text + "'");
    }
    shape->push_back(static_cast<int>(size));
    if (*end == '\0') return Status();
    at = end + 1;
  }
}

// Floats from -1 to 1, or any bytes.
void FillRandomly(std::mt19937* random, Array* array) {
  const size_t count = ElementCount(array->shape);
  array->bytes.resize(count * BytesOf(array->type));
  if (array->type != ElementType::kFloat32) {
    for (char& byte : array->bytes) byte = static_cast<char>((*random)() & 255);
    return;
  }
  auto* const values = static_cast<float*>(array->data());
  for (size_t i = 0; i < count; ++i) values[i] = static_cast<float>((*random)() % 2001) / 1000 - 1;
}

Status MakeInputs(const Arguments& a, const Subgraph& of, const NamedGraph& graph,
                  std::vector<Array>* inputs) {
  inputs->resize(graph.inputs.size());
  for (size_t i = 0; i < inputs->size(); ++i) {
    const TfLiteTensor& tensor = of.tensor(of.inputs()[i]);
    (*inputs)[i].shape = ToVector(tensor.dims);
    if (!ElementTypeOf(tensor.type, &(*inputs)[i].type)) {
      return Status::Error("input " + graph.inputs[i] + " is of a type that is not supported");
    }
  }
  std::vector<char> given(inputs->size());
  size_t i = 0;
  for (const auto& [name, text] : a.shapes) {
    Status status = Find(name, graph, &i);
    if (status.ok()) status = ParseShape(text, &(*inputs)[i].shape);
    if (!status.ok()) return status;
  }
  for (const auto& [name, path] : a.inputs) {
    Status status = Find(name, graph, &i);
    Array read;
    if (status.ok()) status = ReadNpy(path, &read);
    if (status.ok() && read.type != (*inputs)[i].type) {
      status = Status::Error(path + ": expected " + NameOf((*inputs)[i].type) + " for input " +
                             name + ", found " + NameOf(read.type));
    }
    if (!status.ok()) return status;
    (*inputs)[i] = std::move(read);
    given[i] = true;
  }
  std::mt19937 random(0);
  for (i = 0; i < inputs->size(); ++i) {
    if (given[i]) continue;
    FillRandomly(&random, &(*inputs)[i]);
    std::printf("input %s  %s  random\n", graph.inputs[i].c_str(),
                ToString((*inputs)[i].shape).c_str());
  }
  return Status();
}

Status Run(const Arguments& a) {
  Options options;
  Status status = ToOptions(a, &options);
  if (!status.ok()) return status;
  std::vector<char> bytes;
  status = ReadFile(a.model, &bytes);
  if (!status.ok()) return status;
  std::unique_ptr<Model> model;
  status = Model::Read(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size(), &model);
  if (!status.ok()) return Status::Error(a.model + ": " + status.message());
  NamedGraph graph;
  status = ChooseGraph(a.signature, model.get(), &graph);
  if (!status.ok()) return status;
  const Subgraph& of = model->subgraph(graph.number);
  if (a.list) {
    List(of, graph, *model);
    return Status();
  }
  std::vector<Array> inputs, outputs(graph.outputs.size());
  status = MakeInputs(a, of, graph, &inputs);
  if (!status.ok()) return status;

  std::unique_ptr<Session> session;
  status = Session::Make(model.get(), graph.number, options, &session);
  if (!status.ok()) return Status::Error(a.model + ": " + status.message());
  std::vector<Shape> shapes;
  for (const Array& input : inputs) shapes.push_back(input.shape);
  status = session->Prepare(shapes);
  if (!status.ok()) return status;
  std::vector<ConstTensorView> read;
  std::vector<TensorView> written;
  for (Array& input : inputs) read.emplace_back(input.data(), input.type);
  for (size_t i = 0; i < outputs.size(); ++i) {
    outputs[i].shape = session->output_shape(i);
    outputs[i].type = session->output_type(i);
    outputs[i].bytes.resize(ElementCount(outputs[i].shape) * BytesOf(outputs[i].type));
    written.emplace_back(outputs[i].data(), outputs[i].type);
  }

  status = session->Run(read, written);
  if (!status.ok()) return status;
  std::vector<double> seconds;
  for (int round = 0; round < a.rounds; ++round) {
    const auto start = std::chrono::steady_clock::now();
    status = session->Run(read, written);
    if (!status.ok()) return status;
    const auto end = std::chrono::steady_clock::now();
    seconds.push_back(std::chrono::duration<double>(end - start).count());
  }
  for (size_t i = 0; i < outputs.size(); ++i) {
    std::printf("output %s  %s\n", graph.outputs[i].c_str(), ToString(outputs[i].shape).c_str());
    if (a.output_dir.empty()) continue;
    status = WriteNpy(a.output_dir + "/" + std::to_string(i) + ".npy", outputs[i]);
    if (!status.ok()) return status;
  }
  session->SendProfile();
  if (!seconds.empty()) {
    std::sort(seconds.begin(), seconds.end());
    std::printf("%d runs: least %.3f ms, median %.3f ms, %s, %d thread(s)\n", a.rounds,
                seconds.front() * 1e3, seconds[seconds.size() / 2] * 1e3, options.kernels->isa,
                options.num_threads);
  }
  return Status();
}

int Main(int argc, char** argv) {
  Arguments arguments;
  Status status = Parse(argc, argv, &arguments);
  if (status.ok() && arguments.help) {
    std::fputs(kUsage, stdout);
    return 0;
  }
  if (status.ok()) status = Run(arguments);
  if (status.ok()) return 0;
  std::fprintf(stderr, "sbnn_run: %s\n", status.message().c_str());
  return 1;
}

}  // namespace
}  // namespace sbnn

int main(int argc, char** argv) {
  try {
    return sbnn::Main(argc, argv);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "sbnn_run: %s\n", e.what());
    return 1;
  }
}
