#include "delegate/translation/operators.h"

#include <string>
#include <unordered_map>

namespace sbnn {
namespace {

using Operators = std::unordered_map<int, Operator>;

const Operators* MakeOperators() {
  auto* const made = new Operators;
  const auto add = [&](const std::vector<Operator>& rows) {
    for (const Operator& row : rows) made->emplace(row.code, row);
  };
#define SBNN_ADD(NAME) add(NAME##Operators());
  SBNN_FOR_EACH_FILE_OF_OPERATORS(SBNN_ADD)
#undef SBNN_ADD
  return made;
}

}  // namespace

const Operator* FindOperator(int builtin_code) {
  // Never deleted: threads may translate while the process ends.
  static const Operators* const operators = MakeOperators();
  const auto found = operators->find(builtin_code);
  return found == operators->end() ? nullptr : &found->second;
}

std::shared_ptr<void> ReadParameters(int builtin_code, uint8_t type, const FlatTable& options) {
  const Operator* const found = FindOperator(builtin_code);
  if (found == nullptr || found->read == nullptr) return nullptr;
  return found->read(type == found->options_type ? options : FlatTable());
}

Status CheckVersion(int builtin_code, int version) {
  const Operator* const found = FindOperator(builtin_code);
  if (found == nullptr || (version >= 1 && version <= found->newest_version)) return Status();
  return Status::Error("version " + std::to_string(version) +
                       " of the operator is not known, expected 1 to " +
                       std::to_string(found->newest_version));
}

}  // namespace sbnn
