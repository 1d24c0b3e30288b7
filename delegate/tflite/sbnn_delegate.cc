#include "delegate/tflite/sbnn_delegate.h"

#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "delegate/tflite/create.h"
#include "delegate/tflite/delegate.h"

namespace sbnn {
namespace {

// As an external delegate's, so that one place reads and checks them.
class Pairs {
 public:
  void Add(const char* key, std::string value) {
    keys_.push_back(key);
    values_.push_back(std::move(value));
  }
  void Add(const char* key, const char* value) {
    if (value != nullptr && *value != '\0') Add(key, std::string(value));
  }
  Status Create(TfLiteDelegate** delegate) const {
    std::vector<const char*> values;
    for (const std::string& value : values_) values.push_back(value.c_str());
    return CreateDelegate(keys_.data(), values.data(), keys_.size(), nullptr, delegate);
  }

 private:
  std::vector<const char*> keys_;
  std::vector<std::string> values_;
};

Status Create(const sbnn_delegate_options& options, TfLiteDelegate** delegate) {
  if (options.claim != SBNN_CLAIM_FASTER && options.claim != SBNN_CLAIM_ALL) {
    return Status::Error("claim: expected SBNN_CLAIM_FASTER or SBNN_CLAIM_ALL, found " +
                         std::to_string(options.claim));
  }
  Pairs pairs;
  pairs.Add("num_threads", std::to_string(options.num_threads));
  pairs.Add("cache_path", options.cache_path);
  pairs.Add("claim", options.claim == SBNN_CLAIM_ALL ? "all" : "faster");
  pairs.Add("allow_fp16", std::to_string(options.allow_fp16));
  pairs.Add("explain", options.explain);
  pairs.Add("report", options.report);
  if (options.report_sink != 0) pairs.Add("report_sink", std::to_string(options.report_sink));
  pairs.Add("profile", std::to_string(options.profile));
  pairs.Add("isa", options.isa);
  return pairs.Create(delegate);
}

}  // namespace
}  // namespace sbnn

extern "C" {

sbnn_delegate_options sbnn_delegate_options_default() {
  sbnn_delegate_options options{};
  options.num_threads = 1;
  return options;
}

TfLiteDelegate* sbnn_delegate_create(const sbnn_delegate_options* options, char* error,
                                     size_t error_size) {
  const auto fail = [&](const char* why) -> TfLiteDelegate* {
    if (error != nullptr) std::snprintf(error, error_size, "SparseByteNN: %s", why);
    return nullptr;
  };
  try {
    TfLiteDelegate* delegate = nullptr;
    const sbnn::Status status =
        sbnn::Create(options == nullptr ? sbnn_delegate_options_default() : *options, &delegate);
    return status.ok() ? delegate : fail(status.message().c_str());
  } catch (const std::exception& e) {
    return fail(e.what());
  }
}

void sbnn_delegate_delete(TfLiteDelegate* delegate) { sbnn::DeleteDelegate(delegate); }

}  // extern "C"
