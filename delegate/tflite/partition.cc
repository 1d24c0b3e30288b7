#include "delegate/tflite/partition.h"

#include <algorithm>
#include <set>
#include <unordered_map>

#include "delegate/translation/int_array.h"

namespace sbnn {
namespace {

using Nodes = std::vector<std::pair<TfLiteNode*, TfLiteRegistration*>>;

TfLiteStatus GetNodes(TfLiteContext* context, const TfLiteIntArray& plan, Nodes* nodes) {
  for (int i = 0; i < plan.size; ++i) {
    TfLiteNode* node;
    TfLiteRegistration* registration;
    const TfLiteStatus status =
        context->GetNodeAndRegistration(context, plan.data[i], &node, &registration);
    if (status != kTfLiteOk) return status;
    nodes->push_back({node, registration});
  }
  return kTfLiteOk;
}

// How much faster than TensorFlow Lite a part must promise to be: what the model can be wrong by.
constexpr double kMargin = 0.97;

// The tensors that come from and go to the outside of the graph. The context does not tell; they
// are those of the one part that all nodes make. (Constants are among the inputs.)
TfLiteStatus GetBorder(TfLiteContext* context, const TfLiteIntArray& plan, std::set<int>* inputs,
                       std::set<int>* outputs) {
  TfLiteDelegateParams* parts = nullptr;
  int count = 0;
  const TfLiteStatus ok = context->PreviewDelegatePartitioning(context, &plan, &parts, &count);
  if (ok != kTfLiteOk) return ok;
  for (int i = 0; i < count; ++i) {
    const TfLiteIntArray &in = *parts[i].input_tensors, &out = *parts[i].output_tensors;
    inputs->insert(in.data, in.data + in.size);
    outputs->insert(out.data, out.data + out.size);
  }
  return kTfLiteOk;
}

// A node that unpacks a constant goes where all of its readers go, be they in other parts: none
// reads what it would have written.
void ClaimUnpackers(const Nodes& nodes, const Constants& constants, const std::set<int>& outputs,
                    std::vector<Verdict>* verdicts) {
  std::unordered_map<int, std::vector<size_t>> readers;
  for (size_t i = 0; i < nodes.size(); ++i) {
    const TfLiteIntArray& inputs = *nodes[i].first->inputs;
    for (int k = 0; k < inputs.size; ++k) readers[inputs.data[k]].push_back(i);
  }
  // From the back, since a DENSIFY may be read by a DEQUANTIZE.
  for (size_t i = nodes.size(); i-- > 0;) {
    Verdict& verdict = (*verdicts)[i];
    // What was given up stays so, or the rounds would not end.
    if (!constants.Unpacks(verdict.node) || !verdict.reason.empty()) continue;
    const int unpacked = nodes[i].first->outputs->data[0];
    const std::vector<size_t>& of = readers[unpacked];
    bool all = !of.empty();
    for (size_t reader : of) all = all && (*verdicts)[reader].reason.empty();
    if (outputs.count(unpacked) != 0) {
      verdict.reason = "its result is an output of the graph";
    } else if (!all) {
      verdict.reason = "something that stays with TensorFlow Lite reads it";
    }
  }
}

// Whether there is more in a part than nodes that unpack constants.
bool Computes(const TfLiteDelegateParams& part, const Constants& constants) {
  const TfLiteIntArray& nodes = *part.nodes_to_replace;
  return !std::all_of(nodes.data, nodes.data + nodes.size,
                      [&](int node) { return constants.Unpacks(node); });
}

// Whether whole numbers pass between a node and what is outside its part: the engine hands none in
// or out.
bool PassesNumbers(const TfLiteContext* context, const Constants& constants,
                   const TfLiteIntArray& of_node, const TfLiteIntArray& of_part) {
  const int* const end = of_part.data + of_part.size;
  return std::any_of(of_node.data, of_node.data + of_node.size, [&](int tensor) {
    return tensor >= 0 && context->tensors[tensor].type == kTfLiteInt32 &&
           !constants.Has(context, tensor) && std::find(of_part.data, end, tensor) != end;
  });
}

// Gives up what is not worth it, seen in the parts that TFLite would make. True: something changed.
bool Reconsider(const TfLiteContext* context, const TfLiteDelegateParams& part,
                const Constants& constants, const std::unordered_map<int, size_t>& index,
                const Nodes& nodes, std::vector<Verdict>* verdicts) {
  bool heavy = false, changed = false;
  for (int i = 0; i < part.nodes_to_replace->size; ++i) {
    const size_t at = index.at(part.nodes_to_replace->data[i]);
    Verdict& verdict = (*verdicts)[at];
    for (const Translation& t : verdict.translations) heavy = heavy || t.heavy;
    const TfLiteNode& node = *nodes[at].first;
    if (PassesNumbers(context, constants, *node.inputs, *part.input_tensors) ||
        PassesNumbers(context, constants, *node.outputs, *part.output_tensors)) {
      verdict.reason = "whole numbers go into or out of this part";
      changed = true;
    }
  }
  for (int i = 0; !heavy && i < part.nodes_to_replace->size; ++i) {
    Verdict& verdict = (*verdicts)[index.at(part.nodes_to_replace->data[i])];
    // A part of unpackers only costs nothing and changes nothing.
    if (!verdict.reason.empty() || constants.Unpacks(verdict.node)) continue;
    verdict.reason = "no convolution or fully connected layer is next to it";
    changed = true;
  }
  return changed;
}

// Gives up a part that TensorFlow Lite is expected to run faster. True: it did.
bool Compare(const TfLiteDelegateParams& part, TfLiteContext* context, const Constants& constants,
             const TypicalShapes& shapes, const Kernels& kernels,
             const std::unordered_map<int, size_t>& index, std::vector<Verdict>* verdicts) {
  Prediction sum;
  for (const TfLiteIntArray* border : {part.input_tensors, part.output_tensors}) {
    for (int i = 0; i < border->size; ++i) {
      if (border->data[i] < 0 || constants.Has(context, border->data[i])) continue;
      const TfLiteType type = context->tensors[border->data[i]].type;
      sum.here += PredictLayoutChange(shapes.Of(border->data[i]),
                                      type == kTfLiteInt8 || type == kTfLiteUInt8, kernels);
    }
  }
  std::vector<Verdict*> claimed;
  for (int i = 0; i < part.nodes_to_replace->size; ++i) {
    Verdict& verdict = (*verdicts)[index.at(part.nodes_to_replace->data[i])];
    if (constants.Unpacks(verdict.node)) continue;
    sum.here += verdict.time.here;
    sum.stock += verdict.time.stock;
    sum.known = sum.known && verdict.time.known;
    claimed.push_back(&verdict);
  }
  if (claimed.empty() || (sum.known && sum.here < kMargin * sum.stock)) return false;
  for (Verdict* verdict : claimed) {
    verdict->reason = sum.known
                          ? "its part is predicted to take " + DescribeTimes(sum.here, sum.stock)
                          : "nobody has measured what parts with int8 take (claim=all takes them)";
  }
  return true;
}

// Numbers the parts that compute something, for reports, and returns how many they are.
int NumberParts(const TfLiteDelegateParams* parts, int count, const Constants& constants,
                const std::unordered_map<int, size_t>& index, std::vector<Verdict>* verdicts) {
  int number = 0;
  for (int i = 0; i < count; ++i) {
    if (!Computes(parts[i], constants)) continue;
    for (int k = 0; k < parts[i].nodes_to_replace->size; ++k) {
      const int node = parts[i].nodes_to_replace->data[k];
      if (!constants.Unpacks(node)) (*verdicts)[index.at(node)].part = number;
    }
    ++number;
  }
  return number;
}

}  // namespace

Translations Partition::TakeTranslations() {
  Translations translations;
  for (Verdict& v : verdicts) {
    if (!v.reason.empty()) continue;
    translations.emplace(v.node,
                         TranslatedNode{v.node, v.op, "", std::move(v.translations), v.time});
  }
  return translations;
}

std::vector<int> Partition::Claimed() const {
  std::vector<int> nodes;
  for (const Verdict& v : verdicts) {
    if (v.reason.empty()) nodes.push_back(v.node);
  }
  return nodes;
}

void Partition::Report(const TfLiteContext& context, int subgraph, uint64_t packed_bytes,
                       Reporter* reporter) const {
  for (const auto& [tensor, shape] : assumed) {
    const char* const name = context.tensors[tensor].name;
    reporter->Send(OpenInputRecord{subgraph, tensor, name == nullptr ? "" : name, shape});
  }
  for (const Verdict& v : verdicts) {
    reporter->Send(NodeRecord{subgraph, v.node, v.op, v.reason, v.part, v.time.here, v.time.stock});
  }
  reporter->Send(SubgraphRecord{subgraph, static_cast<int>(verdicts.size()),
                                static_cast<int>(Claimed().size()), parts, packed_bytes});
}

TfLiteStatus MakePartition(TfLiteContext* context, const TfLiteIntArray& plan,
                           const Constants& constants, const Options& options, WeightStore* weights,
                           Partition* partition) {
  Nodes nodes;
  TfLiteStatus ok = GetNodes(context, plan, &nodes);
  if (ok != kTfLiteOk) return ok;
  std::set<int> graph_inputs;
  ok = GetBorder(context, plan, &graph_inputs, &partition->graph_outputs);
  if (ok != kTfLiteOk) return ok;
  TypicalShapes shapes(*context, graph_inputs);
  partition->assumed = shapes.assumed();
  std::vector<TranslatedNode> translated;
  const Status status =
      TranslateNodes(context, plan, constants, options, &shapes, weights, &translated);
  if (!status.ok()) return kTfLiteError;
  std::unordered_map<int, size_t> index;
  for (TranslatedNode& node : translated) {
    index[node.node] = partition->verdicts.size();
    partition->verdicts.push_back(Verdict{std::move(node), -1});
  }

  // Each round gives up at least one node, so this ends.
  for (bool changed = true; changed;) {
    changed = false;
    ClaimUnpackers(nodes, constants, partition->graph_outputs, &partition->verdicts);
    const IntArray claimed = MakeIntArray(partition->Claimed());
    TfLiteDelegateParams* parts = nullptr;
    int count = 0;
    ok = context->PreviewDelegatePartitioning(context, claimed.get(), &parts, &count);
    if (ok != kTfLiteOk) return ok;
    for (int i = 0; i < count; ++i) {
      if (Reconsider(context, parts[i], constants, index, nodes, &partition->verdicts))
        changed = true;
    }
    for (int i = 0; i < count && !changed && !options.claim_all; ++i) {
      changed = Compare(parts[i], context, constants, shapes, *options.kernels, index,
                        &partition->verdicts);
    }
    if (!changed) {
      partition->parts = NumberParts(parts, count, constants, index, &partition->verdicts);
    }
  }
  return kTfLiteOk;
}

}  // namespace sbnn
