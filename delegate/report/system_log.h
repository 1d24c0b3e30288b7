// The log of a system on which nobody sees a program's standard error.
#ifndef SBNN_DELEGATE_REPORT_SYSTEM_LOG_H_
#define SBNN_DELEGATE_REPORT_SYSTEM_LOG_H_

#include <string>

namespace sbnn {

enum class Severity { kInfo, kWarning };

#ifdef __ANDROID__
constexpr bool kHasSystemLog = true;
#else
constexpr bool kHasSystemLog = false;
#endif

// One line to Android's logcat, tag SparseByteNN; elsewhere nothing.
void SystemLog(Severity severity, const std::string& line);

}  // namespace sbnn

#endif  // SBNN_DELEGATE_REPORT_SYSTEM_LOG_H_
