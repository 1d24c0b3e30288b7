// What is reported: one struct a kind of record, as README.md beside this documents them. Times are
// in seconds.
#ifndef SBNN_DELEGATE_REPORT_RECORDS_H_
#define SBNN_DELEGATE_REPORT_RECORDS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "delegate/report/json.h"

namespace sbnn {

struct EngineRecord {
  std::string version, isa;
  int num_threads = 1;
  bool fp16 = false;  // allowed, and there are kernels for it
};

// An input that the file leaves open.
struct OpenInputRecord {
  int subgraph = 0, tensor = 0;
  std::string name;
  std::vector<int> assumed;  // the shape by which nodes are claimed and weights packed
};

struct NodeRecord {
  int subgraph = 0, node = 0;
  std::string op;
  std::string reason;          // why it is left; empty: claimed
  int part = -1;               // that computes it; -1: nothing is to be computed
  double here = 0, stock = 0;  // predicted; 0 of a node without a price
};

struct SubgraphRecord {
  int subgraph = 0;
  int nodes = 0, claimed = 0, parts = 0;
  uint64_t packed_bytes = 0;
};

// A part as it is planned for shapes of its inputs.
struct PlanFacts {
  int subgraph = 0, part = 0, plan = 0;
  std::vector<std::vector<int>> inputs;
};

struct PartRecord {
  PlanFacts plan;
  std::vector<int> nodes;
  uint64_t activation_bytes = 0;
};

// What a plan computes at one go.
struct StepFacts {
  int step = 0;
  std::vector<int> nodes;
  std::string label;
  double predicted = 0;
};

struct StepRecord {
  PlanFacts plan;
  StepFacts step;
  bool fp16 = false;
  std::string remark;
};

struct Runs {
  int64_t count = 0;
  double least = 0, median = 0;
};

struct PartProfileRecord {
  PlanFacts plan;
  Runs runs;  // of the whole part, changes of layout included
};

struct StepProfileRecord {
  PlanFacts plan;
  StepFacts step;
  Runs runs;
};

struct WarningRecord {
  std::string kind, message;
  int subgraph = -1;  // -1: it is about all
};

// Write a record's members, its kind first, and return what it says to people, in one line; empty:
// nothing.
std::string Describe(const EngineRecord& record, JsonObject* json);
std::string Describe(const OpenInputRecord& record, JsonObject* json);
std::string Describe(const NodeRecord& record, JsonObject* json);
std::string Describe(const SubgraphRecord& record, JsonObject* json);
std::string Describe(const PartRecord& record, JsonObject* json);
std::string Describe(const StepRecord& record, JsonObject* json);
std::string Describe(const PartProfileRecord& record, JsonObject* json);
std::string Describe(const StepProfileRecord& record, JsonObject* json);
std::string Describe(const WarningRecord& record, JsonObject* json);

// Such as "0.120 ms here, 0.150 ms in TensorFlow Lite".
std::string DescribeTimes(double here, double stock);

}  // namespace sbnn

#endif  // SBNN_DELEGATE_REPORT_RECORDS_H_
