#include <algorithm>
#include <cstddef>
#include <vector>

#include "delegate/engine/rewrites/rewrites.h"

namespace sbnn {

void AbsorbMargins(Graph* graph) {
  std::vector<Node>& nodes = graph->nodes;
  for (size_t p = 0; p < nodes.size();) {
    const int padded = nodes[p].output;
    Margin margin;
    const bool inner = nodes[p].op->AsMargin(&margin) && !graph->IsOutput(padded);
    int consumers = 0;
    Node* consumer = nullptr;
    for (Node& node : nodes) {
      if (std::find(node.inputs.begin(), node.inputs.end(), padded) == node.inputs.end()) continue;
      consumer = &node;
      ++consumers;
    }
    if (!inner || consumers != 1 || !consumer->op->AbsorbMargin(margin)) {
      ++p;
      continue;
    }
    std::replace(consumer->inputs.begin(), consumer->inputs.end(), padded, nodes[p].inputs[0]);
    consumer->ops.insert(consumer->ops.begin(), nodes[p].ops.begin(), nodes[p].ops.end());
    nodes.erase(nodes.begin() + static_cast<std::ptrdiff_t>(p));
  }
}

}  // namespace sbnn
