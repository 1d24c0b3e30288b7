#include "delegate/tflite/explain.h"

#include <cstdio>

namespace sbnn {

void Explain(const std::string& target, const std::string& text) {
  if (target.empty()) return;
  std::FILE* const file = target == "1" ? stderr : std::fopen(target.c_str(), "a");
  if (file == nullptr) {
    std::fprintf(stderr, "SparseByteNN: cannot write to %s\n", target.c_str());
    return;
  }
  std::fputs(text.c_str(), file);
  if (file != stderr) std::fclose(file);
}

}  // namespace sbnn
