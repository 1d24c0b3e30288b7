// Takes records to whoever asked for them.
#ifndef SBNN_DELEGATE_REPORT_REPORTER_H_
#define SBNN_DELEGATE_REPORT_REPORTER_H_

#include <atomic>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>

#include "delegate/format/status.h"
#include "delegate/report/json.h"
#include "delegate/report/records.h"
#include "delegate/report/sink.h"
#include "delegate/report/system_log.h"

namespace sbnn {

class Reporter {
 public:
  // Called as sinks are (sbnn_report.h), with a record's line and its text, which may be empty.
  using Receiver = std::function<void(const std::string& json, const std::string& text)>;

  struct Targets {
    std::string explain;         // text, no profiles; "": nobody, "1": standard error, else a file
    std::string report;          // JSON; "": nobody, else a file
    std::shared_ptr<Sink> sink;  // JSON; null: nobody
    Receiver receiver;           // both; empty: nobody
    bool profile = false;        // measure; to standard error as text, where nobody gets JSON
  };

  // Files are appended to. Fails where one cannot be opened.
  static Status Open(const Targets& targets, std::shared_ptr<Reporter>* reporter);

  // Whether records reach anybody: else there is no need to make them.
  bool active() const;
  bool profiles() const { return profile_; }

  template <typename Record>
  void Send(const Record& record) {
    constexpr bool kWarns = std::is_same_v<Record, WarningRecord>;
    if (!active() && !(kWarns && kHasSystemLog)) return;
    JsonObject json;
    json.Integer("id", id_);
    const std::string text = Printable(Describe(record, &json));
    if (!text.empty()) json.Text("text", text);
    Write(json.Line(), text, TextFile(record), kWarns ? Severity::kWarning : Severity::kInfo);
  }

 private:
  struct Close {
    void operator()(std::FILE* file) const;
  };
  using File = std::unique_ptr<std::FILE, Close>;

  Reporter() = default;
  static Status OpenFile(const char* option, const std::string& path, File* file);
  bool gives_json() const { return report_ != nullptr || sink_ != nullptr || receiver_; }

  // Where people read a record; null: nowhere.
  std::FILE* ProfileText() const { return profile_ && !gives_json() ? stderr : nullptr; }
  template <typename Record>
  std::FILE* TextFile(const Record&) const {
    return explain_.get();
  }
  std::FILE* TextFile(const PartProfileRecord&) const { return ProfileText(); }
  std::FILE* TextFile(const StepProfileRecord&) const { return ProfileText(); }

  void Write(const std::string& json, const std::string& text, std::FILE* text_file,
             Severity severity);
  void WriteLine(const std::string& line, std::FILE* file);

  int id_ = 0;  // in this process
  File explain_, report_;
  std::shared_ptr<Sink> sink_;
  Receiver receiver_;
  bool profile_ = false;
  std::atomic<bool> told_of_failure_{false};
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_REPORT_REPORTER_H_
