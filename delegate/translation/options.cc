#include "delegate/translation/options.h"

#include <cstdlib>

namespace sbnn {
namespace {

constexpr int kMaxThreads = 256;

std::string IsaNames() {
  std::string names;
  for (const Kernels* k : AvailableKernels())
    names += (names.empty() ? "" : ", ") + std::string(k->isa);
  return names;
}

Status ReadSink(const std::string& value, std::shared_ptr<Sink>* sink) {
  const bool number = !value.empty() && value.size() < 10 &&
                      value.find_first_not_of("0123456789") == std::string::npos;
  *sink = number ? FindSink(std::atoi(value.c_str())) : nullptr;
  if (*sink != nullptr) return Status();
  return Status::Error(
      "report_sink: expected the number of a sink that sbnn_add_report_sink returned and that was "
      "not removed, found \"" +
      value + "\"");
}

}  // namespace

Status ParseOptions(const char* const* keys, const char* const* values, size_t count,
                    Options* options, const Reporter::Receiver& receiver) {
  std::string isa;
  Reporter::Targets targets;
  targets.receiver = receiver;
  for (size_t i = 0; i < count; ++i) {
    const std::string key = keys[i] == nullptr ? "" : keys[i];
    const std::string value = values[i] == nullptr ? "" : values[i];
    if (key == "num_threads") {
      char* end = nullptr;
      const long threads = std::strtol(value.c_str(), &end, 10);
      if (value.find_first_not_of("0123456789") != std::string::npos || *end != '\0' ||
          threads < 1 || threads > kMaxThreads) {
        return Status::Error("num_threads: expected 1 to " + std::to_string(kMaxThreads) +
                             ", found \"" + value + "\"");
      }
      options->num_threads = static_cast<int>(threads);
    } else if (key == "explain") {
      targets.explain = value == "0" ? "" : value;
    } else if (key == "profile") {
      if (value != "0" && value != "1") {
        return Status::Error("profile: expected 0 or 1, found \"" + value + "\"");
      }
      targets.profile = value == "1";
    } else if (key == "report") {
      targets.report = value;
    } else if (key == "report_sink") {
      const Status status = ReadSink(value, &targets.sink);
      if (!status.ok()) return status;
    } else if (key == "claim") {
      if (value != "faster" && value != "all") {
        return Status::Error("claim: expected faster or all, found \"" + value + "\"");
      }
      options->claim_all = value == "all";
    } else if (key == "allow_fp16") {
      if (value != "0" && value != "1") {
        return Status::Error("allow_fp16: expected 0 or 1, found \"" + value + "\"");
      }
      options->allow_fp16 = value == "1";
    } else if (key == "cache_path") {
      options->cache_path = value;
    } else if (key == "isa") {
      isa = value;
    } else {
      return Status::Error(
          "unknown option \"" + key +
          "\"; expected num_threads, explain, profile, report, report_sink, claim, "
          "cache_path, allow_fp16 or isa");
    }
  }
  options->kernels = FindKernels(isa);
  if (options->kernels == nullptr) {
    return Status::Error("isa: expected one of " + IsaNames() + " on this CPU, found \"" + isa +
                         "\"");
  }
  return Reporter::Open(targets, &options->reporter);
}

}  // namespace sbnn
