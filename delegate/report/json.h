// JSON, written: one object in one line.
#ifndef SBNN_DELEGATE_REPORT_JSON_H_
#define SBNN_DELEGATE_REPORT_JSON_H_

#include <cstdint>
#include <string>
#include <vector>

namespace sbnn {

// The line is ASCII, whatever goes in: it passes unchanged through logs and JNI's strings. The keys
// are the caller's own and need no escapes.
class JsonObject {
 public:
  // Any bytes; what is no UTF-8 becomes U+FFFD.
  void Text(const char* key, const std::string& value);
  void Number(const char* key, double value);  // null, where it is infinite or no number
  void Integer(const char* key, int64_t value);
  void Flag(const char* key, bool value);
  void Integers(const char* key, const std::vector<int>& values);
  void Shapes(const char* key, const std::vector<std::vector<int>>& shapes);

  // Without a line break.
  std::string Line() const { return "{" + members_ + "}"; }

 private:
  void Add(const char* key, const std::string& value);
  std::string members_;
};

// For people, in one line: UTF-8, in which U+FFFD stands for what is none and for control
// characters.
std::string Printable(const std::string& text);

}  // namespace sbnn

#endif  // SBNN_DELEGATE_REPORT_JSON_H_
