// What a user may say to the delegate, as pairs of strings.
#ifndef SBNN_DELEGATE_TRANSLATION_OPTIONS_H_
#define SBNN_DELEGATE_TRANSLATION_OPTIONS_H_

#include <cstddef>
#include <memory>
#include <string>

#include "delegate/format/status.h"
#include "delegate/kernels/table.h"
#include "delegate/report/reporter.h"

namespace sbnn {

struct Options {
  int num_threads = 1;
  bool claim_all = false;            // also what is not expected to be faster here
  std::string cache_path;            // file of packed weights; "": none
  const Kernels* kernels = nullptr;  // never null after ParseOptions
  bool allow_fp16 = false;
  std::shared_ptr<Reporter> reporter;  // never null after ParseOptions
};

// `receiver` gets the reports too, unless it is empty.
Status ParseOptions(const char* const* keys, const char* const* values, size_t count,
                    Options* options, const Reporter::Receiver& receiver = {});

}  // namespace sbnn

#endif  // SBNN_DELEGATE_TRANSLATION_OPTIONS_H_
