// A program's function that receives records.
#ifndef SBNN_DELEGATE_REPORT_SINK_H_
#define SBNN_DELEGATE_REPORT_SINK_H_

#include <memory>
#include <string>
#include <vector>

#include "delegate/format/locks.h"
#include "delegate/report/sbnn_report.h"

namespace sbnn {

// Safe for any threads.
class Sink {
 public:
  Sink(sbnn_report_callback callback, void* user) : callback_(callback), user_(user) {}

  // Calls the callback, unless the sink was closed.
  void Send(const std::string& line);
  // No call begins any more, and those of other threads have ended.
  void Close();

 private:
  const sbnn_report_callback callback_;
  void* const user_;
  Mutex mutex_;
  Condition ended_;
  std::vector<ThreadId> calls_;  // in progress
  bool closed_ = false;
};

// By the number that sbnn_add_report_sink returned; null: there is none.
std::shared_ptr<Sink> FindSink(int number);

}  // namespace sbnn

#endif  // SBNN_DELEGATE_REPORT_SINK_H_
