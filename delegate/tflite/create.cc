#include "delegate/tflite/create.h"

#include <exception>
#include <string>

#include "delegate/build/version.h"
#include "delegate/kernels/table.h"
#include "delegate/report/records.h"
#include "delegate/tflite/delegate.h"
#include "delegate/translation/options.h"

namespace sbnn {
namespace {

void ReportEngine(const Options& options) {
  const std::string isa = options.kernels->isa;
  const bool fp16 =
      options.allow_fp16 && KernelsFor(*options.kernels, ElementType::kFloat16) != nullptr;
  options.reporter->Send(EngineRecord{SBNN_VERSION, isa, options.num_threads, fp16});
  if (options.allow_fp16 && !fp16) {
    options.reporter->Send(WarningRecord{
        "no_fp16", "nothing computes in 16-bit floats: " + isa +
                       " has no kernels for them, or this CPU no arithmetic on them"});
  }
}

}  // namespace

Status CreateDelegate(const char* const* keys, const char* const* values, size_t count,
                      const Reporter::Receiver& receiver, TfLiteDelegate** delegate) {
  try {
    Options options;
    const Status status = ParseOptions(keys, values, count, &options, receiver);
    if (!status.ok()) return status;
    ReportEngine(options);
    *delegate = NewDelegate(options);
    return Status();
  } catch (const std::exception& e) {
    return Status::Error(e.what());
  }
}

}  // namespace sbnn
