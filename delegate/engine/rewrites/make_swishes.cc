#include <cstddef>
#include <memory>
#include <vector>

#include "delegate/engine/ops/activation.h"
#include "delegate/engine/rewrites/rewrites.h"

namespace sbnn {

void MakeSwishes(Graph* graph) {
  std::vector<Node>& nodes = graph->nodes;
  for (size_t m = 0; m < nodes.size(); ++m) {
    if (!nodes[m].op->Multiplies()) continue;
    for (size_t l = 0; l < m; ++l) {
      if (!nodes[l].op->Applies(UnaryKind::kLogistic)) continue;
      const int x = nodes[l].inputs[0], gate = nodes[l].output;
      std::vector<int>& factors = nodes[m].inputs;
      if (!(factors == std::vector<int>{x, gate} || factors == std::vector<int>{gate, x}) ||
          graph->IsOutput(gate) || graph->Uses(gate) != 1) {
        continue;
      }
      nodes[m].op = std::make_unique<Activation>(UnaryKind::kSwish);
      nodes[m].ops.insert(nodes[m].ops.begin(), nodes[l].ops.begin(), nodes[l].ops.end());
      factors = {x};
      nodes.erase(nodes.begin() + static_cast<std::ptrdiff_t>(l));
      --m;
      break;
    }
  }
}

}  // namespace sbnn
