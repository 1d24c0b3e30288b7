// A result that is either fine or says in a sentence why not.
#ifndef SBNN_DELEGATE_FORMAT_STATUS_H_
#define SBNN_DELEGATE_FORMAT_STATUS_H_

#include <string>
#include <utility>

namespace sbnn {

class [[nodiscard]] Status {
 public:
  Status() = default;
  static Status Error(std::string message) {
    Status s;
    s.message_ = std::move(message);
    if (s.message_.empty()) s.message_ = "unknown error";
    return s;
  }
  bool ok() const { return message_.empty(); }
  const std::string& message() const { return message_; }

 private:
  std::string message_;
};

}  // namespace sbnn

#endif  // SBNN_DELEGATE_FORMAT_STATUS_H_
