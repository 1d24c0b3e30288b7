// The functions that the shared library exports: TensorFlow Lite's external delegate interface, and
// a few that tell what the library sees of the machine.
#include <exception>
#include <string>

#include "delegate/build/version.h"
#include "delegate/kernels/table.h"
#include "delegate/report/records.h"
#include "delegate/report/reporter.h"
#include "delegate/tflite/delegate.h"
#include "delegate/translation/options.h"

namespace {

void ReportEngine(const sbnn::Options& options) {
  const std::string isa = options.kernels->isa;
  const bool fp16 = options.allow_fp16 &&
                    sbnn::KernelsFor(*options.kernels, sbnn::ElementType::kFloat16) != nullptr;
  options.reporter->Send(sbnn::EngineRecord{SBNN_VERSION, isa, options.num_threads, fp16});
  if (options.allow_fp16 && !fp16) {
    options.reporter->Send(sbnn::WarningRecord{
        "no_fp16", "nothing computes in 16-bit floats: " + isa +
                       " has no kernels for them, or this CPU no arithmetic on them"});
  }
}

}  // namespace

extern "C" {

TfLiteDelegate* tflite_plugin_create_delegate(const char* const* options_keys,
                                              const char* const* options_values, size_t num_options,
                                              void (*report_error)(const char*)) {
  try {
    sbnn::Options options;
    const sbnn::Status status =
        sbnn::ParseOptions(options_keys, options_values, num_options, &options);
    if (status.ok()) {
      ReportEngine(options);
      return sbnn::NewDelegate(options);
    }
    if (report_error != nullptr) report_error(("SparseByteNN: " + status.message()).c_str());
  } catch (const std::exception& e) {
    if (report_error != nullptr) report_error(e.what());
  }
  return nullptr;
}

void tflite_plugin_destroy_delegate(TfLiteDelegate* delegate) { sbnn::DeleteDelegate(delegate); }

// The best instruction set of this build on this CPU.
const char* sbnn_isa() { return sbnn::AvailableKernels().front()->isa; }

const char* sbnn_version() { return SBNN_VERSION; }

// FMA peak of one core, 1e9 operations a second, measured now.
double sbnn_peak_gflops() { return sbnn::MeasurePeakGflops(*sbnn::AvailableKernels().front()); }

}  // extern "C"
