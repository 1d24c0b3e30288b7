#include "delegate/file/graph.h"

namespace sbnn {

Status ChooseGraph(const std::string& key, Model* model, NamedGraph* graph) {
  const Signature* signature = nullptr;
  std::string known;
  for (const Signature& s : model->signatures()) {
    known += known.empty() ? s.key : ", " + s.key;
    if (s.key == key) signature = &s;
  }
  if (!key.empty() && signature == nullptr) {
    return Status::Error("no signature '" + key + "'; there are: " + known);
  }
  graph->number = signature == nullptr ? 0 : signature->subgraph;
  const Subgraph& of = model->subgraph(graph->number);
  const auto name = [&](const std::vector<Signature::Name>& names, int tensor) {
    for (const Signature::Name& n : names) {
      if (n.tensor == tensor) return n.name;
    }
    return std::string(of.tensor(tensor).name);
  };
  const Signature none;
  const Signature& names = signature == nullptr ? none : *signature;
  for (int t : of.inputs()) graph->inputs.push_back(name(names.inputs, t));
  for (int t : of.outputs()) graph->outputs.push_back(name(names.outputs, t));
  return Status();
}

}  // namespace sbnn
