#include "delegate/report/reporter.h"

#include <cerrno>
#include <cstring>

namespace sbnn {

void Reporter::Close::operator()(std::FILE* file) const {
  if (file != stderr) std::fclose(file);
}

Status Reporter::OpenFile(const char* option, const std::string& path, File* file) {
  file->reset(std::fopen(path.c_str(), "a"));
  if (*file == nullptr) {
    return Status::Error(std::string(option) + ": cannot write to \"" + path +
                         "\": " + std::strerror(errno));
  }
  // A line goes out whole, even where several processes write.
  std::setvbuf(file->get(), nullptr, _IONBF, 0);
  return Status();
}

Status Reporter::Open(const Targets& targets, std::shared_ptr<Reporter>* reporter) {
  static std::atomic<int> last{0};
  std::shared_ptr<Reporter> made(new Reporter);
  made->id_ = ++last;
  made->sink_ = targets.sink;
  made->receiver_ = targets.receiver;
  made->profile_ = targets.profile;
  Status status;
  if (targets.explain == "1") {
    made->explain_.reset(stderr);
  } else if (!targets.explain.empty()) {
    status = OpenFile("explain", targets.explain, &made->explain_);
  }
  if (status.ok() && !targets.report.empty()) {
    status = OpenFile("report", targets.report, &made->report_);
  }
  if (status.ok()) *reporter = std::move(made);
  return status;
}

bool Reporter::active() const { return explain_ != nullptr || gives_json() || profile_; }

void Reporter::Write(const std::string& json, const std::string& text, std::FILE* text_file,
                     Severity severity) {
  if (text_file != nullptr && !text.empty()) WriteLine(text, text_file);
  // An app's standard error goes nowhere on Android, and nobody may miss a warning.
  if ((text_file == stderr || severity == Severity::kWarning) && !text.empty()) {
    SystemLog(severity, text);
  }
  if (report_ != nullptr) WriteLine(json, report_.get());
  if (sink_ != nullptr) sink_->Send(json);
  if (receiver_) receiver_(json, text);
}

void Reporter::WriteLine(const std::string& line, std::FILE* file) {
  const std::string whole = line + '\n';
  if (std::fwrite(whole.data(), 1, whole.size(), file) == whole.size() || file == stderr ||
      told_of_failure_.exchange(true)) {
    return;
  }
  std::fprintf(stderr, "SparseByteNN: a report could not be written: %s\n", std::strerror(errno));
}

}  // namespace sbnn
