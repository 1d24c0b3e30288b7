#include "delegate/report/system_log.h"

#ifdef __ANDROID__
#include <android/log.h>
#endif

namespace sbnn {

#ifdef __ANDROID__
void SystemLog(Severity severity, const std::string& line) {
  __android_log_write(severity == Severity::kWarning ? ANDROID_LOG_WARN : ANDROID_LOG_INFO,
                      "SparseByteNN", line.c_str());
}
#else
void SystemLog(Severity, const std::string&) {}
#endif

}  // namespace sbnn
