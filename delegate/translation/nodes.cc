#include "delegate/translation/nodes.h"

#include <algorithm>
#include <memory>

#include "delegate/translation/op_names.h"
#include "delegate/translation/operators.h"

namespace sbnn {

Status TranslateNodes(TfLiteContext* context, const TfLiteIntArray& plan,
                      const Constants& constants, const Options& options, TypicalShapes* shapes,
                      WeightStore* weights, std::vector<TranslatedNode>* nodes) {
  for (int i = 0; i < plan.size; ++i) {
    TfLiteNode* node;
    TfLiteRegistration* registration;
    if (context->GetNodeAndRegistration(context, plan.data[i], &node, &registration) != kTfLiteOk) {
      return Status::Error("node " + std::to_string(plan.data[i]) + " is not to be had");
    }
    TranslatedNode made;
    made.node = plan.data[i];
    made.op = OpName(*registration);
    made.reason = CheckVersion(registration->builtin_code, registration->version).message();
    if (made.reason.empty() && !constants.Unpacks(made.node)) {
      std::vector<std::shared_ptr<const PackedWeights>> packed;
      NodeView view{context,          node,     registration, constants, *shapes,
                    *options.kernels, *weights, &packed};
      Status status;
      const int outputs = std::max(1, node->outputs->size);
      for (; status.ok() && view.which < outputs; ++view.which) {
        made.translations.emplace_back();
        status = Translate(view, &made.translations.back());
      }
      made.reason = status.message();
      shapes->Follow(*node, made.translations);
      if (status.ok()) made.time = PredictNode(view, made.translations[0], packed);
    }
    nodes->push_back(std::move(made));
  }
  return Status();
}

}  // namespace sbnn
