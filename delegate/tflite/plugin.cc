// TensorFlow Lite's external delegate interface, and what the library sees of the machine.
#include <exception>
#include <string>

#include "delegate/build/version.h"
#include "delegate/kernels/table.h"
#include "delegate/tflite/create.h"
#include "delegate/tflite/delegate.h"
#include "delegate/tflite/sbnn_delegate.h"

extern "C" {

TfLiteDelegate* tflite_plugin_create_delegate(const char* const* options_keys,
                                              const char* const* options_values, size_t num_options,
                                              void (*report_error)(const char*)) {
  try {
    TfLiteDelegate* delegate = nullptr;
    const sbnn::Status status =
        sbnn::CreateDelegate(options_keys, options_values, num_options, nullptr, &delegate);
    if (status.ok()) return delegate;
    if (report_error != nullptr) report_error(("SparseByteNN: " + status.message()).c_str());
  } catch (const std::exception& e) {
    if (report_error != nullptr) report_error(e.what());
  }
  return nullptr;
}

void tflite_plugin_destroy_delegate(TfLiteDelegate* delegate) { sbnn::DeleteDelegate(delegate); }

const char* sbnn_isa() { return sbnn::AvailableKernels().front()->isa; }

const char* sbnn_version() { return SBNN_VERSION; }

// FMA peak of one core, 1e9 operations a second, measured now.
double sbnn_peak_gflops() { return sbnn::MeasurePeakGflops(*sbnn::AvailableKernels().front()); }

}  // extern "C"
