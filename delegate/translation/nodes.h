// The nodes of a graph, translated, whoever filled TensorFlow Lite's C structs.
#ifndef SBNN_DELEGATE_TRANSLATION_NODES_H_
#define SBNN_DELEGATE_TRANSLATION_NODES_H_

#include <string>
#include <vector>

#include "delegate/format/status.h"
#include "delegate/format/weight_store.h"
#include "delegate/translation/constants.h"
#include "delegate/translation/cost.h"
#include "delegate/translation/options.h"
#include "delegate/translation/translate.h"
#include "delegate/translation/typical_shapes.h"
#include "tensorflow/lite/c/common.h"

namespace sbnn {

struct TranslatedNode {
  int node;
  std::string op;                         // its operator's name
  std::string reason;                     // why it can't be translated; empty: it can
  std::vector<Translation> translations;  // one for each output; none: it unpacks a constant
  Prediction time;                        // if it can
};

// All of a plan, in its order. `shapes` follows from node to node. Fails where a node is not to be
// had.
Status TranslateNodes(TfLiteContext* context, const TfLiteIntArray& plan,
                      const Constants& constants, const Options& options, TypicalShapes* shapes,
                      WeightStore* weights, std::vector<TranslatedNode>* nodes);

}  // namespace sbnn

#endif  // SBNN_DELEGATE_TRANSLATION_NODES_H_
