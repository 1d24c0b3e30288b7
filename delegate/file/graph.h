// The graph of a file that a user asks for, by the names that a user knows.
#ifndef SBNN_DELEGATE_FILE_GRAPH_H_
#define SBNN_DELEGATE_FILE_GRAPH_H_

#include <string>
#include <vector>

#include "delegate/file/model.h"
#include "delegate/format/status.h"

namespace sbnn {

struct NamedGraph {
  int number = 0;                            // of the subgraph
  std::vector<std::string> inputs, outputs;  // in its order: the signature's names, or the tensors'
};

// The graph of the signature `key`; of no signature, the first, if `key` is "". Fails where there
// is none of that name.
Status ChooseGraph(const std::string& key, Model* model, NamedGraph* graph);

}  // namespace sbnn

#endif  // SBNN_DELEGATE_FILE_GRAPH_H_
