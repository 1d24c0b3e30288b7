#include "delegate/tflite/delegate.h"

#include <algorithm>
#include <exception>
#include <memory>
#include <mutex>
#include <new>
#include <set>
#include <string>
#include <vector>

#include "delegate/translation/constants.h"
#include "delegate/translation/int_array.h"
#include "delegate/tflite/part.h"
#include "delegate/tflite/partition.h"
#include "delegate/tflite/subgraph.h"

namespace sbnn {
namespace {

constexpr char kName[] = "SparseByteNN";

struct DelegateData {
  explicit DelegateData(const Options& said) : options(said), weights(said.cache_path) {}

  TfLiteDelegate delegate{};
  const Options options;
  // Held while a graph is prepared: interpreters of several threads may share a delegate.
  std::mutex mutex;
  WeightStore weights;
  // Of the graph that is being prepared.
  Constants constants;
  Translations translations;  // of claimed nodes
  int subgraph = 0;
  int parts = 0;          // made so far, that compute something
  bool any_size = false;  // the file leaves sizes of inputs open
  std::vector<const TfLiteContext*> prepared;
};

// No exception may pass through TFLite's C frames.
template <typename Fn>
TfLiteStatus Guarded(TfLiteContext* context, const Fn& fn) {
  try {
    const Status status = fn();
    if (status.ok()) return kTfLiteOk;
    context->ReportError(context, "%s: %s", kName, status.message().c_str());
  } catch (const std::bad_alloc&) {
    context->ReportError(context, "%s: out of memory", kName);
  } catch (const std::exception& e) {
    context->ReportError(context, "%s: %s", kName, e.what());
  }
  return kTfLiteError;
}

void* InitPart(TfLiteContext* context, const char* buffer, size_t) {
  const auto* const params = reinterpret_cast<const TfLiteDelegateParams*>(buffer);
  auto* const data = static_cast<DelegateData*>(params->delegate->data_);
  Part* part = nullptr;
  Guarded(context, [&] {
    part = new Part(context, *params, data->constants, data->options, data->subgraph, data->parts,
                    data->any_size, &data->translations);
    if (part->computes()) ++data->parts;
    return Status();
  });
  return part;
}

void FreePart(TfLiteContext* context, void* memory) {
  const std::unique_ptr<Part> part(static_cast<Part*>(memory));
  if (part == nullptr) return;
  Guarded(context, [&] {
    part->SendProfile();
    return Status();
  });
}

TfLiteStatus PreparePart(TfLiteContext* context, TfLiteNode* node) {
  auto* const part = static_cast<Part*>(node->user_data);
  return Guarded(context, [&] {
    return part == nullptr ? Status::Error("the part could not be built") : part->Prepare(context);
  });
}

TfLiteStatus RunPart(TfLiteContext* context, TfLiteNode* node) {
  return Guarded(context, [&] { return static_cast<Part*>(node->user_data)->Run(context); });
}

template <typename Fn>
void KeepIf(const Fn& fn, TfLiteIntArray* array) {
  int* const end =
      std::remove_if(array->data, array->data + array->size, [&](int t) { return !fn(t); });
  array->size = static_cast<int>(end - array->data);
}

// Takes the constants off the parts' nodes: a part reads them in the file. TensorFlow Lite and the
// delegates behind this one then see who else needs what unpacks them, and XNNPACK, which computes
// wrongly where it must leave one reader of an unpacked constant, has none to leave. (But it never
// writes a constant that only the graph's outputs need.)
Status HideConstants(TfLiteContext* context, const TfLiteDelegate* delegate,
                     const std::set<int>& graph_outputs) {
  TfLiteIntArray* plan = nullptr;
  if (context->GetExecutionPlan(context, &plan) != kTfLiteOk) {
    return Status::Error("no execution plan");
  }
  for (int i = 0; i < plan->size; ++i) {
    TfLiteNode* node;
    TfLiteRegistration* registration;
    if (context->GetNodeAndRegistration(context, plan->data[i], &node, &registration) !=
        kTfLiteOk) {
      return Status::Error("node " + std::to_string(plan->data[i]) + " is not to be had");
    }
    if (node->delegate != delegate || node->user_data == nullptr) continue;
    const auto& part = *static_cast<const Part*>(node->user_data);
    KeepIf([&](int t) { return part.Reads(t) || graph_outputs.count(t) != 0; }, node->inputs);
    KeepIf([&](int t) { return part.Writes(t); }, node->outputs);
  }
  return Status();
}

TfLiteStatus PrepareDelegate(TfLiteContext* context, TfLiteDelegate* delegate) {
  auto* const data = static_cast<DelegateData*>(delegate->data_);
  return Guarded(context, [&] {
    const std::lock_guard<std::mutex> lock(data->mutex);
    TfLiteIntArray* plan = nullptr;
    if (context->GetExecutionPlan(context, &plan) != kTfLiteOk) {
      return Status::Error("no execution plan");
    }
    // TFLite reuses the array behind `plan` while the delegate looks at parts.
    const IntArray nodes = MakeIntArray(std::vector<int>(plan->data, plan->data + plan->size));
    data->constants = Constants(context, *nodes);
    const Status readable = data->constants.CheckSparse(context);
    if (!readable.ok()) return readable;
    data->subgraph = SubgraphNumber(context, &data->prepared);
    data->parts = 0;
    Partition partition;
    if (MakePartition(context, *nodes, data->constants, data->options, &data->weights,
                      &partition) != kTfLiteOk) {
      return Status::Error("the graph could not be divided");
    }
    data->translations = partition.TakeTranslations();
    data->any_size = !partition.assumed.empty();
    Reporter* const reporter = data->options.reporter.get();
    partition.Report(*context, data->subgraph, data->weights.bytes(), reporter);
    const Status saved = data->weights.Save();
    if (!saved.ok()) {
      reporter->Send(WarningRecord{
          "cache_not_written", "packed weights are not kept: " + saved.message(), data->subgraph});
    }

    TfLiteRegistration registration{};
    registration.init = InitPart;
    registration.free = FreePart;
    registration.prepare = PreparePart;
    registration.invoke = RunPart;
    registration.custom_name = kName;
    registration.version = 1;
    const IntArray claimed = MakeIntArray(partition.Claimed());
    if (context->ReplaceNodeSubsetsWithDelegateKernels(context, registration, claimed.get(),
                                                       delegate) != kTfLiteOk) {
      return Status::Error("the claimed parts could not be prepared");
    }
    data->translations.clear();
    return HideConstants(context, delegate, partition.graph_outputs);
  });
}

}  // namespace

TfLiteDelegate* NewDelegate(const Options& options) {
  auto data = std::make_unique<DelegateData>(options);
  data->delegate.data_ = data.get();
  data->delegate.Prepare = PrepareDelegate;
  // Without this TFLite refuses graphs with DENSIFY, whose outputs it takes for dynamic.
  data->delegate.flags = kTfLiteDelegateFlagsAllowDynamicTensors;
  return &data.release()->delegate;
}

void DeleteDelegate(TfLiteDelegate* delegate) {
  if (delegate != nullptr) delete static_cast<DelegateData*>(delegate->data_);
}

}  // namespace sbnn
