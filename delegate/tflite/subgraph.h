// Which of a model's subgraphs a context is of.
#ifndef SBNN_DELEGATE_TFLITE_SUBGRAPH_H_
#define SBNN_DELEGATE_TFLITE_SUBGRAPH_H_

#include <vector>

#include "tensorflow/lite/c/common.h"

namespace sbnn {

// Its number in the model, told while a delegate prepares it. Where TensorFlow Lite is too old to
// tell, which then prepares all subgraphs in their order, its place among those `prepared`.
int SubgraphNumber(TfLiteContext* context, std::vector<const TfLiteContext*>* prepared);

}  // namespace sbnn

#endif  // SBNN_DELEGATE_TFLITE_SUBGRAPH_H_
