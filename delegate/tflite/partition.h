// Which nodes the delegate claims, and why not the others.
#ifndef SBNN_DELEGATE_TFLITE_PARTITION_H_
#define SBNN_DELEGATE_TFLITE_PARTITION_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "delegate/format/weight_store.h"
#include "delegate/report/reporter.h"
#include "delegate/translation/constants.h"
#include "delegate/translation/options.h"
#include "delegate/translation/nodes.h"
#include "tensorflow/lite/c/common.h"

namespace sbnn {

// Claimed nodes by their numbers.
using Translations = std::unordered_map<int, TranslatedNode>;

// `reason` is also why a node is not claimed that can be translated.
struct Verdict : TranslatedNode {
  int part = -1;  // that computes it; -1: none, for it unpacks a constant
};

struct Partition {
  std::vector<Verdict> verdicts;  // in the order of execution
  int parts = 0;                  // that compute something
  std::set<int> graph_outputs;    // tensors that the outside receives
  // The inputs of the graph that the file leaves open, and the shapes that they were taken for.
  std::map<int, Shape> assumed;

  std::vector<int> Claimed() const;
  Translations TakeTranslations();  // gives them away
  void Report(const TfLiteContext& context, int subgraph, uint64_t packed_bytes,
              Reporter* reporter) const;
};

// Claims what can be translated, sits next to a convolution or fully connected layer, and is
// expected to be faster here, part by part (unless all is to be claimed).
TfLiteStatus MakePartition(TfLiteContext* context, const TfLiteIntArray& plan,
                           const Constants& constants, const Options& options, WeightStore* weights,
                           Partition* partition);

}  // namespace sbnn

#endif  // SBNN_DELEGATE_TFLITE_PARTITION_H_
