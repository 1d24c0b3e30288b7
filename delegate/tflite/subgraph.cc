#include "delegate/tflite/subgraph.h"

#include <dlfcn.h>

#include <algorithm>

namespace sbnn {
namespace {

// The context of an old TensorFlow Lite ends before these members. What lies there instead is no
// function: not in the library that its other functions are in.
bool HasSubgraphs(const TfLiteContext& context) {
  Dl_info here, there;
  return dladdr(reinterpret_cast<void*>(context.GetExecutionPlan), &here) != 0 &&
         dladdr(reinterpret_cast<void*>(context.AcquireSubgraphContext), &there) != 0 &&
         here.dli_fbase == there.dli_fbase;
}

}  // namespace

int SubgraphNumber(TfLiteContext* context, std::vector<const TfLiteContext*>* prepared) {
  if (HasSubgraphs(*context)) {
    TfLiteContext* found = nullptr;
    for (int i = 0; context->AcquireSubgraphContext(context, i, &found) == kTfLiteOk; ++i) {
      context->ReleaseSubgraphContext(context, i);
      if (found == context) return i;
    }
  }
  const auto at = std::find(prepared->begin(), prepared->end(), context);
  const auto number = static_cast<int>(at - prepared->begin());
  if (at == prepared->end()) prepared->push_back(context);
  return number;
}

}  // namespace sbnn
